using Archiver.Core.Reconciliation;

namespace Archiver.Worker.Output;

/// <summary>A rebuilt ledger as <c>ledger rebuild --json</c> prints it.</summary>
internal sealed record RebuildJson(
    string Source,
    long Objects,
    long Manifests,
    long Archives,
    long Erased,
    IReadOnlyList<SkippedObject> Foreign,
    IReadOnlyList<SkippedObject> Unreadable,
    IReadOnlyList<SkippedObject> Copies,
    string? Limitation
)
{
    public static RebuildJson Of(string source, RebuildReport r) =>
        new(source, r.Objects, r.Manifests, r.Archives, r.Erased, r.Foreign, r.Unreadable, r.Copies, r.Limitation);
}
