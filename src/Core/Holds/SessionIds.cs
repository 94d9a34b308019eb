using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Holds;

/// <summary>
/// Finds the session keys behind an id that a person gave: a key, however it is written, or an external id; live, archived or only rows
/// that name it.
/// </summary>
internal sealed class SessionIds(NpgsqlConnection connection, SourceSettings source, SourceShape shape)
{
    private const string HasKey = """
        SELECT EXISTS (SELECT FROM archiver.archives AS a WHERE a.source = $1 AND a.session_id = $2 AND a.state <> 'erased')
          OR EXISTS (SELECT FROM archiver.objects AS o WHERE o.source = $1 AND $2 = ANY (o.members))
        """;

    private const string WithExternalId =
        "SELECT DISTINCT a.session_id FROM archiver.archives AS a WHERE a.source = $1 AND a.external_id = $2 AND a.state <> 'erased'";

    private readonly KeyForm _form = KeyForm.Of(source.Map, shape);

    /// <summary>
    /// Every session that the id may mean, for whoever keeps what it names: the one of that key and those of that external id. Keys as
    /// PostgreSQL writes them; empty when nobody knows the id.
    /// </summary>
    public async Task<IReadOnlyList<string>> FindAsync(string id, CancellationToken cancellationToken) =>
        [
            .. (await OfKeyAsync(id, cancellationToken))
                .Union(await OfExternalIdAsync(id, cancellationToken), StringComparer.Ordinal)
                .Order(StringComparer.Ordinal),
        ];

    /// <summary>
    /// The session of which the id is the key, live, archived or only in rows that name it; else empty. An id that is one session's key and
    /// another's external id means the key: whoever destroys or shows asks for external ids only where this finds nothing.
    /// </summary>
    public async Task<IReadOnlyList<string>> OfKeyAsync(string id, CancellationToken cancellationToken)
    {
        // 'ABC...' and 'abc...' are one uuid: the ledger has it as the server writes it.
        var key = await new GivenIds(connection, source.Map).KeyAsync(id, cancellationToken);
        SortedSet<string> found = new(StringComparer.Ordinal);
        if (key is not null)
        {
            found.UnionWith(await LiveAsync(_form.Of("s").Is(Given), key, cancellationToken));
            if (await HasRowsAsync(key, cancellationToken))
                found.Add(key);
        }
        var (name, text) = (PgParameter.Text(source.Name), PgParameter.Text(key ?? id));
        if (await connection.ScalarAsync<bool>(HasKey, cancellationToken, name, text))
            found.Add(key ?? id);
        return [.. found];
    }

    /// <summary>The sessions of that external id, live or archived.</summary>
    public async Task<IReadOnlyList<string>> OfExternalIdAsync(string id, CancellationToken cancellationToken)
    {
        SortedSet<string> found = new(StringComparer.Ordinal);
        if (source.Map.Session.ExternalId is { } external)
            found.UnionWith(
                await LiveAsync($"{SessionPath.Column("s", external)} = $1::{shape.Session[external].CastType}", id, cancellationToken)
            );
        found.UnionWith(
            await connection.QueryAsync(
                WithExternalId,
                row => row.GetString(0),
                cancellationToken,
                PgParameter.Text(source.Name),
                PgParameter.Text(id)
            )
        );
        return [.. found];
    }

    /// <summary>Which of these keys the tables have, in the session's row or in rows that name it; those that are gone have none.</summary>
    public async Task<IReadOnlySet<string>> LiveAmongAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken)
    {
        bool IsThere(string table, IEnumerable<string> columns) =>
            shape.Tables.FirstOrDefault(t => t.Name == table) is { } there && columns.All(c => there.Columns.Any(x => x.Name == c));
        if (keys.Count == 0 || !IsThere(SourceMap.SessionName, source.Map.Session.Key))
            return new HashSet<string>();
        var key = _form.Known("k.id");
        List<string> traces = [$"EXISTS (SELECT FROM {source.Map.Session.Sql} AS s WHERE {_form.Of("s").Is(key)} OFFSET 0)"];
        foreach (var child in source.Map.Children.Where(c => IsThere(c.Name, c.ForeignKey)))
        {
            var path = SessionPath.Of(source.Map, shape, child);
            if (path.Joins.Count == 0)
                traces.Add($"EXISTS (SELECT FROM {path.From(child)} WHERE {path.Where(KeyMatch.Is(key))} OFFSET 0)");
        }
        return (
            await connection.QueryAsync(
                $"SELECT k.id FROM unnest($1) AS k (id) WHERE {string.Join(" OR ", traces)}",
                row => row.GetString(0),
                cancellationToken,
                PgParameter.Texts(keys)
            )
        ).ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>
    /// Whether rows name the session, be its own row there or not: without a foreign key they may have come after it went.
    /// </summary>
    private async Task<bool> HasRowsAsync(string key, CancellationToken cancellationToken)
    {
        foreach (var child in source.Map.Children)
        {
            var path = SessionPath.Of(source.Map, shape, child);
            if (
                path.Joins.Count == 0
                && await connection.ScalarAsync<bool>(
                    $"SELECT EXISTS (SELECT FROM {path.From(child)} WHERE {path.Where(KeyMatch.Is(Given))})",
                    cancellationToken,
                    PgParameter.Text(key)
                )
            )
            {
                return true;
            }
        }
        return false;
    }

    private SessionKey Given => _form.Parse($"$1::{_form.Type}");

    private async Task<List<string>> LiveAsync(string condition, string value, CancellationToken cancellationToken) =>
        await connection.QueryAsync(
            $"SELECT {_form.Of("s")}::text FROM {source.Map.Session.Sql} AS s WHERE {condition}",
            row => row.GetString(0),
            cancellationToken,
            PgParameter.Text(value)
        );
}
