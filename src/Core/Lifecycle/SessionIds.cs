using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Lifecycle;

/// <summary>Finds the session keys behind an id that a person gave: a key, however it is written, or an external id; live, archived or both.</summary>
internal sealed class SessionIds(NpgsqlConnection connection, SourceSettings source, SourceShape shape)
{
    private const string Archived = """
        SELECT DISTINCT a.session_id FROM archiver.archives AS a WHERE a.source = $1 AND a.state <> 'erased' AND (a.session_id = $2 OR a.external_id = $3)
        UNION
        SELECT $2 WHERE EXISTS (SELECT FROM archiver.objects AS o WHERE o.source = $1 AND $2 = ANY (o.members))
        """;

    private readonly string _keyType = shape.KeyType(source.Map);

    /// <summary>Keys as PostgreSQL writes them; empty when nobody knows the id, several only when one session's key is another's external id.</summary>
    public async Task<IReadOnlyList<string>> FindAsync(string id, CancellationToken cancellationToken)
    {
        var table = source.Map.Session;
        // 'ABC...' and 'abc...' are one uuid: the ledger has it as the server writes it.
        var key = await CanonicalAsync(id, cancellationToken).ConfigureAwait(false);
        SortedSet<string> found = new(StringComparer.Ordinal);
        if (key is not null)
            found.UnionWith(await LiveAsync(table.Key, _keyType, key, cancellationToken).ConfigureAwait(false));
        if (table.ExternalId is { } external)
            found.UnionWith(await LiveAsync(external, shape.Session[external].BaseType, id, cancellationToken).ConfigureAwait(false));
        found.UnionWith(await connection.QueryAsync(
            Archived, row => row.GetString(0), cancellationToken, PgParameter.Text(source.Name), PgParameter.Text(key ?? id), PgParameter.Text(id)).ConfigureAwait(false));
        return [.. found];
    }

    /// <summary>The id as the server writes a key, or null when it is no value of the key's type.</summary>
    public async Task<string?> CanonicalAsync(string id, CancellationToken cancellationToken)
    {
        try
        {
            return await connection.ScalarAsync<string>($"SELECT ($1::{_keyType})::text", cancellationToken, PgParameter.Text(id)).ConfigureAwait(false);
        }
        catch (PostgresException exception) when (exception.SqlState[..2] == "22")
        {
            return null;
        }
    }

    private async Task<List<string>> LiveAsync(string column, string type, string value, CancellationToken cancellationToken) => await connection.QueryAsync(
        $"SELECT {SessionPath.Column("s", source.Map.Session.Key)}::text FROM {source.Map.Session.Table.Sql} AS s WHERE {SessionPath.Column("s", column)} = $1::{type}",
        row => row.GetString(0), cancellationToken, PgParameter.Text(value)).ConfigureAwait(false);
}
