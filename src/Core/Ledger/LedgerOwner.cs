using System.Globalization;
using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>
/// Which database the ledger belongs to. A copy (a template, a dump, a promoted standby) has the same ledger with the same object keys and
/// none of the holds that came later, so it destroys no object until a person says that it is the owner now.
/// </summary>
internal static class LedgerOwner
{
    private const string Insert = """
        INSERT INTO archiver.owners (system_id, database, database_oid, timeline, who) VALUES ($1, $2, $3, $4, $5)
        """;

    private const string Fork = """
        UPDATE archiver.ledger SET id = gen_random_uuid();
        UPDATE archiver.owners SET is_origin = false;
        DELETE FROM archiver.former_ledgers;
        """;

    /// <summary>Why this database may destroy no object, in one sentence; null when it is the owner.</summary>
    public static string? WhyNot(DatabaseIdentity database) =>
        database.Owner == database.Place
            ? null
            : $"this ledger belongs to {Describe(database.Owner)}, and this is {Describe(database.Place)}: {Difference(database)}";

    /// <summary>
    /// Lets a discard, an erasure or reconcile --fix go on, or not. Asked under the source's lock, before anything is changed.
    /// </summary>
    /// <exception cref="ArchiverException">The ledger belongs to another database; kind Refused.</exception>
    public static void Require(DatabaseIdentity database)
    {
        if (WhyNot(database) is { } reason)
            throw new ArchiverException(
                FailureKind.Refused,
                $"Nothing was destroyed: {reason}. The other one may still need these objects, and its holds are not known here. "
                    + "If this database took its place (failover, restore, move, upgrade, new name): archiver ledger own --yes. "
                    + "If it is a copy beside it, such as a test system: archiver ledger own --copy --yes, and give it a bucket or prefix "
                    + "of its own."
            );
    }

    /// <summary>This database is the owner from now on. What objects say of the earlier ones stays true: they are this ledger's.</summary>
    /// <param name="connections">The way to it.</param>
    /// <param name="source">Name of the source, for messages.</param>
    /// <param name="copy">
    /// It is a copy beside the owner: the ledger gets an id of its own, and every object so far is the other one's.
    /// </param>
    /// <param name="from">A database that it was before the ledger kept owners; null for none.</param>
    /// <param name="who">Who says so, for the audit.</param>
    /// <param name="cancellationToken">Gives up; nothing is changed then.</param>
    public static async Task OwnAsync(
        SourceConnections connections,
        string source,
        bool copy,
        (string SystemId, string Database)? from,
        string who,
        CancellationToken cancellationToken
    )
    {
        await using var change = await LedgerTransaction.BeginAsync(connections, source, cancellationToken);
        var connection = change.Connection;
        if (copy)
            await connection.ExecuteAsync(Fork, cancellationToken);
        if (from is { } earlier)
            await InsertAsync(connection, earlier.SystemId, earlier.Database, null, null, who, cancellationToken);
        var here = (await DatabaseIdentity.ReadAsync(connection, cancellationToken)).Database.Place!;
        await InsertAsync(connection, here.SystemId, here.Database, here.Oid, here.Timeline, who, cancellationToken);
        await change.AuditAsync(new(who, copy ? "ledger own copy" : "ledger own"), cancellationToken);
        await change.CommitAsync(cancellationToken);
    }

    // Without oid and timeline it is no owner, only where objects come from.
    private static Task<int> InsertAsync(
        NpgsqlConnection connection,
        string system,
        string database,
        long? oid,
        long? timeline,
        string who,
        CancellationToken cancellationToken
    ) =>
        connection.ExecuteAsync(
            Insert,
            cancellationToken,
            PgParameter.Text(system),
            PgParameter.Text(database),
            PgParameter.Bigint(oid),
            PgParameter.Bigint(timeline),
            PgParameter.Text(who)
        );

    private static string Describe(DatabasePlace? place) =>
        place is null
            ? "no database"
            : string.Create(
                CultureInfo.InvariantCulture,
                $"database '{place.Database}' (oid {place.Oid}) of system {place.SystemId} on timeline {place.Timeline}"
            );

    private static string Difference(DatabaseIdentity database)
    {
        var (owner, here) = (database.Owner, database.Place!);
        return owner?.SystemId != here.SystemId ? "another server, as after dump and restore or pg_upgrade"
            : owner.Oid != here.Oid ? "another database of the same server, as after CREATE DATABASE ... TEMPLATE or a restored dump"
            : owner.Timeline != here.Timeline ? "it was promoted or restored to a point in time since then"
            : "it has another name now";
    }
}
