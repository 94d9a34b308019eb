using Archiver.Core.Verification;
using Npgsql;

namespace Archiver.Core.Deletion;

/// <summary>
/// Puts archived rows of sessions where a run has just deleted the live ones, in the same transaction: at no time are a session's rows gone
/// from the tables.
/// </summary>
internal interface IReplacement
{
    /// <summary>Reads the archived rows for a batch, before its transaction.</summary>
    Task<int> StageAsync(VerifiedBatch batch, CancellationToken cancellationToken);

    /// <summary>
    /// Inserts the archived rows of these sessions; returns those for which it did not succeed, whose live rows must stay.
    /// </summary>
    Task<IReadOnlySet<string>> InsertAsync(
        NpgsqlConnection connection,
        NpgsqlTransaction transaction,
        IReadOnlyList<string> keys,
        CancellationToken cancellationToken
    );

    /// <summary>
    /// Writes to the ledger that these sessions are restored; after the records of the delete, which knows nothing of that.
    /// </summary>
    Task RecordAsync(NpgsqlConnection connection, IReadOnlyList<string> keys, CancellationToken cancellationToken);

    /// <summary>Told that the transaction was committed.</summary>
    void Committed(IReadOnlyList<string> keys);

    /// <summary>Forgets what was read for a batch whose transaction has ended.</summary>
    Task ForgetAsync(VerifiedBatch batch);
}
