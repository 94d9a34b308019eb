using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Inspection;

/// <summary>
/// Reads the catalogs in two trips to the server: this runs before every run. The caller's transaction has search_path = pg_catalog.
/// </summary>
internal sealed class CatalogReader(NpgsqlConnection connection, SourceSettings source)
{
    public async Task<SourceCatalog> ReadAsync(SourceShape shape, CancellationToken cancellationToken)
    {
        var mapped = shape.Tables.Select(t => t.Oid).ToList();
        var relations = await connection.QueryAsync(RelationFacts.Sql, RelationFacts.Read, cancellationToken, PgParameter.Oids(mapped));
        var family = relations.Select(r => r.Oid).Distinct().ToList();
        var tree = relations.Where(r => r.Depth >= 0).Select(r => r.Oid).Distinct().ToList();

        await using var batch = new NpgsqlBatch(connection);
        Add<ServerFacts>(batch, mapped);
        Add<ColumnFacts>(batch, mapped);
        Add<IndexFacts>(batch, tree);
        Add<ForeignKeyFacts>(batch, family);
        Add<TriggerFacts>(batch, tree);
        Add<RuleFacts>(batch, mapped);
        Add<HeirFacts>(batch, mapped);
        Add<SubscriptionFacts>(batch, tree);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        return new()
        {
            Source = source,
            Shape = shape,
            Relations = relations,
            Server = (await NextAsync<ServerFacts>(reader, cancellationToken))[0],
            Columns = await NextAsync<ColumnFacts>(reader, cancellationToken),
            Indexes = await NextAsync<IndexFacts>(reader, cancellationToken),
            ForeignKeys = await NextAsync<ForeignKeyFacts>(reader, cancellationToken),
            Triggers = await NextAsync<TriggerFacts>(reader, cancellationToken),
            Rules = await NextAsync<RuleFacts>(reader, cancellationToken),
            Heirs = await NextAsync<HeirFacts>(reader, cancellationToken),
            Subscriptions = await NextAsync<SubscriptionFacts>(reader, cancellationToken),
        };
    }

    private static void Add<T>(NpgsqlBatch batch, IEnumerable<uint> oids)
        where T : ICatalogFact<T>
    {
        var command = new NpgsqlBatchCommand(T.Sql);
        command.Parameters.Add(PgParameter.Oids(oids));
        batch.BatchCommands.Add(command);
    }

    /// <summary>Reads one result and moves to the one after it; results come in the order of the commands.</summary>
    private static async Task<List<T>> NextAsync<T>(NpgsqlDataReader reader, CancellationToken cancellationToken)
        where T : ICatalogFact<T>
    {
        List<T> facts = [];
        while (await reader.ReadAsync(cancellationToken))
            facts.Add(T.Read(reader));
        await reader.NextResultAsync(cancellationToken);
        return facts;
    }
}
