using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Discovery;

/// <summary>Reads the catalogs of a database, in one read-only transaction, in some tenths of a second for a thousand tables.</summary>
internal static class DatabaseReader
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>What the catalogs say; then, of the columns that they leave open, what samples of the values say.</summary>
    /// <param name="connection">Not in a transaction.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task<DatabaseFacts> ReadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(TransactionSettings.ReadOnly(Patience), cancellationToken);
        var facts = await ReadCatalogsAsync(connection, cancellationToken);
        var sampler = new Sampler(connection, transaction);
        facts = facts with { Values = await sampler.ValuesAsync(facts, cancellationToken) };
        return facts with { Matches = await sampler.MatchesAsync(facts, cancellationToken) };
    }

    private static async Task<DatabaseFacts> ReadCatalogsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var server = (
            await connection.QueryAsync(
                CatalogQueries.Server,
                row => (Database: row.GetString(0), Role: row.GetString(1), Superuser: row.GetBoolean(2), Ledger: row.GetBoolean(3)),
                cancellationToken
            )
        )[0];
        var bare = await connection.QueryAsync(CatalogQueries.Tables, Table, cancellationToken);
        var oids = PgParameter.Oids(bare.Select(t => t.Oid));
        var columns = (
            await connection.QueryAsync(
                CatalogQueries.Columns,
                row =>
                    (Table: Oid(row, 0), Column: new FoundColumn(row.GetString(1), row.GetString(2), row.GetString(3), row.GetBoolean(4))),
                cancellationToken,
                oids.Clone()
            )
        ).ToLookup(c => c.Table, c => c.Column);
        var unique = (
            await connection.QueryAsync(
                CatalogQueries.Unique,
                row => (Table: Oid(row, 0), Primary: row.GetBoolean(1), Columns: (IReadOnlyList<string>)row.GetFieldValue<string[]>(2)),
                cancellationToken,
                oids.Clone()
            )
        ).ToLookup(u => u.Table);
        var sequences = (
            await connection.QueryAsync(
                CatalogQueries.Sequences,
                row => (Table: Oid(row, 0), Sequence: new TableName(row.GetString(1), row.GetString(2))),
                cancellationToken,
                oids.Clone()
            )
        ).ToLookup(s => s.Table, s => s.Sequence);
        var names = bare.ToDictionary(t => t.Oid, t => t.Table);
        return new()
        {
            Database = server.Database,
            Role = server.Role,
            IsSuperuser = server.Superuser,
            HasLedger = server.Ledger,
            Tables =
            [
                .. bare.Select(t =>
                    t with
                    {
                        Columns = [.. columns[t.Oid]],
                        Unique = [.. unique[t.Oid].Select(u => u.Columns)],
                        HasPrimaryKey = unique[t.Oid].FirstOrDefault().Primary,
                        Sequences = [.. sequences[t.Oid]],
                    }
                ),
            ],
            Keys = await connection.QueryAsync(
                CatalogQueries.Keys,
                row => new FoundKey(
                    row.GetString(0),
                    names[Oid(row, 1)],
                    row.GetFieldValue<string[]>(3),
                    names[Oid(row, 2)],
                    row.GetFieldValue<string[]>(4),
                    row.GetString(5)[0]
                ),
                cancellationToken,
                oids.Clone()
            ),
        };
    }

    private static FoundTable Table(NpgsqlDataReader row) =>
        new()
        {
            Oid = Oid(row, 0),
            Table = new(row.GetString(1), row.GetString(2)),
            Rows = row.IsDBNull(3) ? null : row.GetInt64(3),
            Bytes = row.GetInt64(4),
            Readable = row.GetBoolean(5),
            RowSecurity = row.GetBoolean(6),
            Columns = [],
            Unique = [],
            HasPrimaryKey = false,
            Sequences = [],
        };

    private static uint Oid(NpgsqlDataReader row, int column) => (uint)row.GetInt64(column);
}
