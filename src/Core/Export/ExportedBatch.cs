using System.Diagnostics;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Selection;
using Archiver.Core.Sources;

namespace Archiver.Core.Export;

/// <summary>
/// The documents of a batch, all from one snapshot, and the shape of the tables under that snapshot. Owns the documents' memory and files.
/// </summary>
internal sealed class ExportedBatch : IAsyncDisposable
{
    private ExportedBatch(
        IReadOnlyList<ExportedSession> sessions,
        IReadOnlyList<DroppedSession> dropped,
        SourceShape shape,
        string exportedAt,
        IReadOnlyList<SelectedSession> left
    )
    {
        Sessions = sessions;
        Left = left;
        Dropped = dropped;
        Shape = shape;
        ExportedAt = exportedAt;
    }

    public IReadOnlyList<ExportedSession> Sessions { get; }

    /// <summary>The span of the batch that is exported, which ends with this; null where nobody listens.</summary>
    public Activity? Trace { get; } = Traces.BatchOfStage;

    public IReadOnlyList<DroppedSession> Dropped { get; }

    /// <summary>Sessions that were selected and did not fit, for the next batch; of the first it is known how far it was read.</summary>
    public IReadOnlyList<SelectedSession> Left { get; }

    /// <summary>The tables under the export's lock; the delete compares its own with it.</summary>
    public SourceShape Shape { get; }

    /// <summary>The database's clock in the export transaction: ISO 8601, UTC, microseconds.</summary>
    public string ExportedAt { get; }

    /// <summary>Every session of the snapshot must have a document and a fingerprint for every mapped table.</summary>
    /// <exception cref="InvalidOperationException">
    /// A fingerprint is missing, which would let rows of that table be deleted uncompared.
    /// </exception>
    public static ExportedBatch From(
        IReadOnlyList<ExportedSession> sessions,
        IReadOnlyList<DroppedSession> dropped,
        SourceShape shape,
        string exportedAt,
        IReadOnlyList<SelectedSession> left
    ) =>
        sessions.All(s => s.Fingerprints["session"].Rows == 1 && shape.Tables.All(t => s.Fingerprints.ContainsKey(t.Name)))
            ? new(sessions, dropped, shape, exportedAt, left)
            : throw new InvalidOperationException("An exported session lacks the fingerprint of a table.");

    public async ValueTask DisposeAsync()
    {
        foreach (var session in Sessions)
            await session.Document.Content.DisposeAsync();
        Trace?.Dispose();
    }
}
