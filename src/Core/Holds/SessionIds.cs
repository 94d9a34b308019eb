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
    private const string Archived = """
        SELECT DISTINCT a.session_id FROM archiver.archives AS a WHERE a.source = $1 AND a.state <> 'erased'
          AND (a.session_id = $2 OR a.external_id = $3)
        UNION
        SELECT $2 WHERE EXISTS (SELECT FROM archiver.objects AS o WHERE o.source = $1 AND $2 = ANY (o.members))
        """;

    private readonly KeyForm _form = KeyForm.Of(source.Map, shape);

    /// <summary>
    /// Keys as PostgreSQL writes them; empty when nobody knows the id, several only when one session's key is another's external id.
    /// </summary>
    public async Task<IReadOnlyList<string>> FindAsync(string id, CancellationToken cancellationToken)
    {
        var table = source.Map.Session;
        // 'ABC...' and 'abc...' are one uuid: the ledger has it as the server writes it.
        var key = await new GivenIds(connection, source.Map).KeyAsync(id, cancellationToken);
        SortedSet<string> found = new(StringComparer.Ordinal);
        if (key is not null)
        {
            found.UnionWith(await LiveAsync(_form.Of("s").Is(Given), key, cancellationToken));
            if (await HasRowsAsync(key, cancellationToken))
                found.Add(key);
        }
        if (table.ExternalId is { } external)
            found.UnionWith(
                await LiveAsync($"{SessionPath.Column("s", external)} = $1::{shape.Session[external].CastType}", id, cancellationToken)
            );
        found.UnionWith(
            await connection.QueryAsync(
                Archived,
                row => row.GetString(0),
                cancellationToken,
                PgParameter.Text(source.Name),
                PgParameter.Text(key ?? id),
                PgParameter.Text(id)
            )
        );
        return [.. found];
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
