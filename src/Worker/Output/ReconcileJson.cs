using Archiver.Core.Reconciliation;

namespace Archiver.Worker.Output;

/// <summary>A source's reconciliation as <c>reconcile --json</c> prints it.</summary>
internal sealed record ReconcileJson(
    string Source,
    bool Fixed,
    bool NeedsAttention,
    IReadOnlyList<string> Unrecorded,
    IReadOnlyList<string> Missing,
    IReadOnlyList<string> LiveAndArchived,
    IReadOnlyList<string> DeletedSince,
    IReadOnlyDictionary<string, long> Orphans,
    IReadOnlyList<string> Removable,
    IReadOnlyList<SkippedObject> Kept,
    IReadOnlyList<SkippedObject> Foreign,
    IReadOnlyList<SkippedObject> Unreadable,
    int AbortedUploads,
    IReadOnlyList<SkippedObject> Hidden,
    IReadOnlyList<string> Returned,
    IReadOnlyList<SkippedObject> Copies,
    IReadOnlyDictionary<string, long> Elsewhere,
    string? Limitation
)
{
    public static ReconcileJson Of(string source, ReconcileReport r) =>
        new(
            source,
            r.Fixed,
            r.NeedsAttention,
            r.Unrecorded,
            r.Missing,
            r.LiveAndArchived,
            r.DeletedSince,
            r.Orphans,
            r.Removable,
            r.Kept,
            r.Foreign,
            r.Unreadable,
            r.AbortedUploads,
            r.Hidden,
            r.Returned,
            r.Copies,
            r.Elsewhere,
            r.Limitation
        );
}
