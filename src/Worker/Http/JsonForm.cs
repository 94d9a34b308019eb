using System.Text.Json;
using System.Text.Json.Serialization;
using Archiver.Worker.Output;

namespace Archiver.Worker.Http;

/// <summary>JSON over HTTP has the form that the command line prints with <c>--json</c>.</summary>
internal static class JsonForm
{
    public static JsonSerializerOptions Options { get; } = Terminal.JsonOptions;

    /// <summary>For bodies: an unknown member is an error, because it is a wish that would be overlooked.</summary>
    public static JsonSerializerOptions Input { get; } =
        new(Terminal.JsonOptions) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, MaxDepth = 8 };

    public static IResult Ok<T>(T value, int status = StatusCodes.Status200OK) => Results.Json(value, Options, statusCode: status);

    public static IResult Error(int status, string message) => Results.Json(new ErrorBody(message), Options, statusCode: status);
}
