using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Archiver.Core.Restore;
using Archiver.Core.Status;
using Archiver.Worker.Output;

namespace Archiver.Worker.Http;

/// <summary>JSON over HTTP has the form that the command line prints with <c>--json</c>.</summary>
internal static class JsonForm
{
    private static readonly JsonSerializerOptions Sent = new(ResultJson.Form) { TypeInfoResolver = BodyTypes.Default };

    /// <summary>For bodies: an unknown member is an error, because it is a wish that would be overlooked.</summary>
    private static readonly JsonSerializerOptions Received = new(Sent)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        MaxDepth = 8,
    };

    /// <summary>How an answer is written.</summary>
    public static JsonTypeInfo<T> Answer<T>() => (JsonTypeInfo<T>)Sent.GetTypeInfo(typeof(T));

    /// <summary>How a body is read.</summary>
    public static JsonTypeInfo<T> Body<T>() => (JsonTypeInfo<T>)Received.GetTypeInfo(typeof(T));

    public static IResult Ok<T>(T value, int status = StatusCodes.Status200OK) => Results.Json(value, Answer<T>(), statusCode: status);

    public static IResult Error(int status, string message) => Ok(new ErrorBody(message), status);
}

/// <summary>Every type that goes over HTTP as JSON, as <see cref="ResultTypes"/> has those of the verbs.</summary>
[JsonSerializable(typeof(List<ListedJson>))]
[JsonSerializable(typeof(List<RecordedRun>))]
[JsonSerializable(typeof(RestoreReport))]
[JsonSerializable(typeof(StartedBody))]
[JsonSerializable(typeof(HealthBody))]
[JsonSerializable(typeof(UnreadyBody))]
[JsonSerializable(typeof(ErrorBody))]
[JsonSerializable(typeof(RestoreBody))]
[JsonSerializable(typeof(RunBody))]
internal sealed partial class BodyTypes : JsonSerializerContext;
