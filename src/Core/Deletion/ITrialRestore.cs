using Archiver.Core.Verification;
using Npgsql;

namespace Archiver.Core.Deletion;

/// <summary>Compares the stored copy of sessions with their live rows inside the transaction that is about to delete these.</summary>
internal interface ITrialRestore
{
    /// <summary>
    /// Keys of the sessions that must stay: their copy has not the same rows, or does not load. The session rows are locked by now.
    /// </summary>
    Task<IReadOnlySet<string>> FindDifferingAsync(
        NpgsqlConnection connection,
        NpgsqlTransaction transaction,
        IReadOnlyList<VerifiedSession> sessions,
        CancellationToken cancellationToken
    );
}
