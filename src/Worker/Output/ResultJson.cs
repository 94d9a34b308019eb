using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Archiver.Core.Diagnostics;
using Archiver.Core.Discard;
using Archiver.Core.Documents;
using Archiver.Core.Erasure;
using Archiver.Core.Holds;
using Archiver.Core.Ledger;
using Archiver.Core.Query;
using Archiver.Core.Reading;
using Archiver.Core.Restore;
using Archiver.Core.Settings;
using Archiver.Core.Status;

namespace Archiver.Worker.Output;

/// <summary>The form of all JSON that is printed or sent.</summary>
internal static class ResultJson
{
    /// <summary>Names in snake case, enumerations by their names, time spans as seconds.</summary>
    public static JsonSerializerOptions Form { get; } =
        new()
        {
            PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            TypeInfoResolver = ResultTypes.Default,
            Converters =
            {
                new SecondsConverter(),
                new NameConverter<PolicyAction>(),
                new NameConverter<RunOutcome>(),
                new NameConverter<ReadProblem>(),
                new NameConverter<ConflictMode>(),
            },
        };

    /// <summary>How a type is written in that form.</summary>
    /// <exception cref="NotSupportedException">It is not one of <see cref="ResultTypes"/>.</exception>
    public static JsonTypeInfo<T> Of<T>() => (JsonTypeInfo<T>)Form.GetTypeInfo(typeof(T));
}

/// <summary>
/// Every type that a verb prints. One that is not named here is refused however the program was compiled: natively compiled, it could not
/// look at one at run time.
/// </summary>
[JsonSerializable(typeof(List<SourceStatus>))]
[JsonSerializable(typeof(List<PlanJson>))]
[JsonSerializable(typeof(TextHit))]
[JsonSerializable(typeof(List<PresetJson>))]
[JsonSerializable(typeof(List<FailedSession>))]
[JsonSerializable(typeof(RestoreJson))]
[JsonSerializable(typeof(List<ListedJson>))]
[JsonSerializable(typeof(List<SourceJson>))]
[JsonSerializable(typeof(List<RunSummary>))]
[JsonSerializable(typeof(List<RebuildJson>))]
[JsonSerializable(typeof(List<VerifyJson>))]
[JsonSerializable(typeof(List<ReconcileJson>))]
[JsonSerializable(typeof(List<ListedHold>))]
[JsonSerializable(typeof(List<EraseReceipt>))]
[JsonSerializable(typeof(List<DiscardReport>))]
[JsonSerializable(typeof(List<MoveJson>))]
[JsonSerializable(typeof(List<ExplanationJson>))]
internal sealed partial class ResultTypes : JsonSerializerContext;
