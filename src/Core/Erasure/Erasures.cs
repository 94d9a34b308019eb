using Archiver.Core.Bucket;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Erasure;

/// <summary>
/// Which tombstones this ledger has seen. One that it has not seen means that an erasure never came to this database, or was interrupted:
/// then sessions may be here again that must not be, and no run may archive them anew.
/// </summary>
internal static class Erasures
{
    private const string Known = "SELECT e.name FROM archiver.erasures AS e WHERE e.source = $1";

    private const string Add =
        "INSERT INTO archiver.erasures (source, name) SELECT $1, n.name FROM unnest($2) AS n (name) ON CONFLICT DO NOTHING";

    public static Task<int> AddAsync(
        NpgsqlConnection connection,
        string source,
        IReadOnlyCollection<string> names,
        CancellationToken cancellationToken
    ) => connection.ExecuteAsync(Add, cancellationToken, PgParameter.Text(source), PgParameter.Texts(names));

    /// <summary>Names of the tombstones that this ledger has seen.</summary>
    public static async Task<IReadOnlySet<string>> SeenAsync(
        NpgsqlConnection connection,
        string source,
        CancellationToken cancellationToken
    ) =>
        (await connection.QueryAsync(Known, row => row.GetString(0), cancellationToken, PgParameter.Text(source))).ToHashSet(
            StringComparer.Ordinal
        );

    /// <summary>
    /// What was erased from the source, once a run may go on. Costs one listing where nothing was erased since the last run.
    /// </summary>
    /// <exception cref="ArchiverException">Something that was erased is here again; kind Refused.</exception>
    public static async Task<TombstoneSet> RequireAppliedAsync(RunContext run, IArchiveReader store, CancellationToken cancellationToken)
    {
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        var tombstones = await new TombstoneReader(store).LoadAsync(run.Source, connection, cancellationToken);
        if (tombstones.IsEmpty)
            return tombstones;
        var known = await SeenAsync(connection, run.Source.Name, cancellationToken);
        var unseen = tombstones.Tombstones.Select(t => t.Name).Except(known, StringComparer.Ordinal).ToHashSet(StringComparer.Ordinal);
        if (unseen.Count == 0)
            return tombstones;
        var (erased, _) = await new ErasedAgain(connection, run.Source, run.Shape, unrecorded: []).FindAsync(
            tombstones.Only(unseen),
            cancellationToken
        );
        if (erased.Count > 0)
            throw new ArchiverException(
                FailureKind.Refused,
                $"{Counted.Of(erased.Count, "session")} of source '{run.Source.Name}' "
                    + $"{(erased.Count == 1 ? "was erased and is" : "were erased and are")} here again: the database was restored to an "
                    + "earlier time, or an erasure was interrupted. Nothing was changed. Erase them again: archiver erase --reapply --yes"
            );
        await AddAsync(connection, run.Source.Name, unseen, cancellationToken);
        return tombstones;
    }
}
