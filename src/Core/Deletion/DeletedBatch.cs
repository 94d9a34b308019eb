using Archiver.Core.Ledger;
using Archiver.Core.Verification;

namespace Archiver.Core.Deletion;

/// <summary>What one committed transaction did: these sessions are archived and gone from the tables, those stay.</summary>
internal sealed class DeletedBatch
{
    private DeletedBatch(IReadOnlyList<VerifiedSession> archived, IReadOnlyList<DroppedSession> dropped)
    {
        Archived = archived;
        Dropped = dropped;
    }

    /// <summary>Confirmed by the commit.</summary>
    public IReadOnlyList<VerifiedSession> Archived { get; }

    public IReadOnlyList<DroppedSession> Dropped { get; }

    public long RowsDeleted => Archived.Sum(s => s.Session.TableRows);

    public static DeletedBatch Committed(IReadOnlyList<VerifiedSession> archived, IReadOnlyList<DroppedSession> dropped) =>
        new(archived, dropped);

    /// <summary>Two committed transactions as one.</summary>
    public DeletedBatch And(DeletedBatch other) => new([.. Archived, .. other.Archived], [.. Dropped, .. other.Dropped]);
}
