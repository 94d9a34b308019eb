using System.Data;
using Archiver.Core.Deletion;
using Archiver.Core.Holds;
using Archiver.Core.Import;
using Archiver.Core.Ledger;
using Archiver.Core.Pipelines;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Restore;

/// <summary>
/// A dry run of <c>restore --on-conflict replace</c>: takes live rows away by the statement of the run that would archive them
/// (<see cref="LiveVersions"/>), so that holds, triggers and keys say what they would say to that one. Only a dry run is given it, and a
/// dry run commits nothing.
/// </summary>
internal sealed class ReplacementRehearsal(SourceSettings source, SourceShape shape) : ILiveRows
{
    private const string Savepoint = "live";

    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<string, string>> TakeAwayAsync(
        NpgsqlConnection connection,
        NpgsqlTransaction transaction,
        IReadOnlyList<string> keys,
        CancellationToken cancellationToken
    )
    {
        var reasons = (await HeldSessions.FindAsync(connection, source, shape, keys, cancellationToken)).ToDictionary(
            k => k,
            _ => DropReason.Held,
            StringComparer.Ordinal
        );
        // One by one: a rehearsal is of few sessions, and what refuses one says nothing about the others.
        foreach (var key in keys.Where(k => !reasons.ContainsKey(k)))
        {
            await transaction.SaveAsync(Savepoint, cancellationToken);
            var reason = await TryAsync(connection, key, cancellationToken);
            if (reason is not null)
            {
                await transaction.RollbackAsync(Savepoint, cancellationToken);
                reasons.Add(key, reason);
            }
            await transaction.ReleaseAsync(Savepoint, cancellationToken);
        }
        return reasons;
    }

    private async Task<string?> TryAsync(NpgsqlConnection connection, string key, CancellationToken cancellationToken)
    {
        try
        {
            var guard = await SideEffectGuard.BeginAsync(connection, source.Map, shape, cancellationToken);
            var (sql, parameters) = new DeleteStatements(source.Map, shape).Delete([key], sessionsFirst: false);
            var rows = (await connection.QueryAsync(sql, row => row.GetInt64(2), cancellationToken, parameters)).Sum();
            await connection.ExecuteAsync(ApplicationPath.FireAndLeave, cancellationToken);
            return await guard.HoldsAsync(connection, rows, staying: null, cancellationToken) ? null : DropReason.SideEffects;
        }
        catch (PostgresException exception) when (exception.IsAboutOneBatch() && connection.State == ConnectionState.Open)
        {
            return DropReason.OfDelete(exception);
        }
    }
}
