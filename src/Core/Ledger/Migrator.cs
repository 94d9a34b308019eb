using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>
/// Brings the ledger to this program's version: numbered scripts, embedded, each applied once in its own transaction.
/// Safe to call from many workers at once; a ledger newer than the program, or a script edited after it was applied, is refused.
/// </summary>
internal static class Migrator
{
    /// <summary>Serialises migrations of one database; the number is arbitrary and must never change.</summary>
    private const long MigrationLock = 0x6172_6368_6d69_6772;

    // Only waits are bounded: the scripts themselves take as long as they take.
    private static readonly string Settings =
        $"{TransactionSettings.Common} SET LOCAL default_table_access_method = heap; SET LOCAL statement_timeout = 0; "
        + $"{TransactionSettings.Timeout("lock_timeout", TransactionSettings.LockWithin)}";

    private const string Bootstrap = """
        DO $$
        BEGIN
          -- CREATE SCHEMA IF NOT EXISTS wants CREATE on the database even where the schema exists.
          -- sql/roles.sql makes it, so that we need not.
          IF pg_catalog.to_regnamespace('archiver') IS NULL THEN
            CREATE SCHEMA archiver;
          END IF;
        END
        $$;
        CREATE TABLE IF NOT EXISTS archiver.migrations (
          version    int PRIMARY KEY,
          name       text NOT NULL,
          sha256     text NOT NULL,
          applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
        )
        """;

    /// <summary>Whether a ledger is there at all, without needing any right on it.</summary>
    public static async Task<bool> ExistsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        return await connection.ScalarAsync<bool>("SELECT to_regclass('archiver.migrations') IS NOT NULL", cancellationToken);
    }

    /// <summary>Applies what is missing and returns the names applied, oldest first; empty when the ledger is current.</summary>
    /// <exception cref="ArchiverException">
    /// The ledger is newer than this program, an applied script was edited, or somebody keeps a lock that a script needs.
    /// </exception>
    public static async Task<IReadOnlyList<string>> MigrateAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        List<string> names = [];
        // A ledger that is current is only read.
        while (await MissingAsync(connection, cancellationToken) && await ApplyNextAsync(connection, cancellationToken) is { } name)
            names.Add(name);
        return names;
    }

    /// <summary>
    /// The same for a person who asked for it: an answer to a commit that is lost is settled, so that what is done is not called failed.
    /// </summary>
    /// <exception cref="ArchiverException">As above, or what became of a commit cannot be learnt now.</exception>
    public static async Task<IReadOnlyList<string>> MigrateAsync(SourceConnections connections, CancellationToken cancellationToken)
    {
        List<string> names = [];
        while (true)
        {
            // One for each script: a lost answer takes its connection with it.
            await using var connection = await connections.OpenAsync(cancellationToken);
            if (
                !await MissingAsync(connection, cancellationToken)
                || await ApplyNextAsync(connection, cancellationToken, connections) is not { } name
            )
                return names;
            names.Add(name);
        }
    }

    /// <summary>Refuses unless the ledger is exactly at this program's version; for workers that may not migrate.</summary>
    /// <exception cref="ArchiverException">The ledger is missing, older or newer.</exception>
    public static async Task RequireCurrentAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (!await ExistsAsync(connection, cancellationToken))
            throw new ArchiverException(
                FailureKind.Refused,
                "The database has no ledger (schema archiver). Create it with: archiver migrate"
            );
        var applied = await AppliedAsync(connection, cancellationToken);
        foreach (var script in LedgerScript.Missing(applied))
            throw new ArchiverException(FailureKind.Refused, $"The ledger lacks {script.Name}. Upgrade it with: archiver migrate");
    }

    private static async Task<bool> MissingAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        !await ExistsAsync(connection, cancellationToken) || LedgerScript.Missing(await AppliedAsync(connection, cancellationToken)).Any();

    /// <summary>Applies one script; null when another worker has applied the last one meanwhile.</summary>
    private static async Task<string?> ApplyNextAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken,
        SourceConnections? connections = null
    )
    {
        try
        {
            return await TryApplyNextAsync(connection, connections, cancellationToken);
        }
        catch (PostgresException exception) when (exception.IsLockTimeout())
        {
            // The transaction is over, so the connection can be asked.
            var holders = await LockHolders.OfLedgerAsync(connection, cancellationToken);
            var who = holders.Count > 0 ? string.Join(" ", holders) : "Whoever had one is gone. Try again.";
            throw new ArchiverException(
                FailureKind.Failed,
                $"The ledger could not be upgraded: a lock on its tables did not come in time, and a reader is enough to keep it off. "
                    + $"{who} No script is applied in part.",
                exception
            );
        }
    }

    /// <summary>
    /// A lock of the transaction: one of the session would stay on whichever server connection a pooler took for it, for ever.
    /// </summary>
    private static async Task LockAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            await connection.ExecuteAsync("SELECT pg_advisory_xact_lock($1)", cancellationToken, PgParameter.Bigint(MigrationLock));
        }
        catch (PostgresException exception) when (exception.IsLockTimeout())
        {
            throw new ArchiverException(
                FailureKind.Failed,
                "The ledger could not be upgraded: another session keeps its lock, such as another archiver that is upgrading it, or one "
                    + "that died behind a connection pooler. "
                    + "It is among: SELECT pid, state, query FROM pg_stat_activity WHERE pid IN (SELECT pid FROM pg_locks WHERE locktype = "
                    + "'advisory'). Nothing was changed.",
                exception
            );
        }
    }

    private static async Task<string?> TryApplyNextAsync(
        NpgsqlConnection connection,
        SourceConnections? connections,
        CancellationToken cancellationToken
    )
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(Settings, cancellationToken);
        await LockAsync(connection, cancellationToken);
        if (!await ExistsAsync(connection, cancellationToken))
            await connection.ExecuteAsync(Bootstrap, cancellationToken);
        if (LedgerScript.Missing(await AppliedAsync(connection, cancellationToken)).FirstOrDefault() is not { } script)
            return null;
        await connection.ExecuteAsync(script.Sql, cancellationToken);
        await connection.ExecuteAsync(
            "INSERT INTO archiver.migrations (version, name, sha256) VALUES ($1, $2, $3)",
            cancellationToken,
            PgParameter.Int(script.Version),
            PgParameter.Text(script.Name),
            PgParameter.Text(script.Sha256)
        );
        if (connections is null)
            await transaction.CommitAsync(cancellationToken);
        else
            await new CommitOutcome(
                connections.Time,
                connections.OpenAsync,
                $"The server did not answer the commit of {script.Name}, nor what became of it. It is done wholly or not at all: migrate "
                    + "again.",
                async (other, _, token) => await ExistsAsync(other, token) && (await AppliedAsync(other, token)).ContainsKey(script.Version)
            ).CommitAsync(connection, transaction, _ => Task.CompletedTask, cancellationToken);
        return script.Name;
    }

    private static async Task<Dictionary<int, string>> AppliedAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var rows = await connection.QueryAsync(
            "SELECT version, sha256 FROM archiver.migrations",
            row => (Version: row.GetInt32(0), Sha256: row.GetString(1)),
            cancellationToken
        );
        return rows.ToDictionary(row => row.Version, row => row.Sha256);
    }
}
