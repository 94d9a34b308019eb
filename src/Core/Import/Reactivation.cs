using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Import;

/// <summary>
/// <c>--reactivate</c>: a restored session counts as used now, whatever made it old. Rows that were deleted together with their session come
/// back with it; a message that its user deleted before stays deleted.
/// </summary>
internal sealed class Reactivation(RestoreTarget target, string timeZone, DateTimeOffset? expiresAt)
{
    private readonly SessionTable _session = target.Map.Session;

    public async Task ApplyAsync(NpgsqlConnection connection, IEnumerable<string> keys, CancellationToken cancellationToken)
    {
        var texts = PgParameter.Texts(keys);
        if (_session.Deleted is not null)
        {
            foreach (var child in target.Map.Children.Where(c => c.Deleted is not null && c.Parent == SourceMap.SessionName && target.Find(c.Name) is not null))
                await connection.ExecuteAsync(Undelete(child), cancellationToken, texts.Clone());
        }
        var parameters = new SqlParameters();
        var sql = Update(parameters, texts);
        await connection.ExecuteAsync(sql, cancellationToken, parameters.ToArray());
    }

    // Before the session's own flag is cleared: equal times say that one act deleted both.
    private string Undelete(ChildTable child) => $"""
        UPDATE {child.Table.Sql} AS t SET {PgIdentifier.Quote(child.Deleted!)} = NULL
        FROM {_session.Table.Sql} AS s
        WHERE {SessionPath.Column("s", child.ParentKey)} = {SessionPath.Column("t", child.ForeignKey)}
          AND {SessionPath.Column("s", _session.Key)} = ANY ($1::{target.Shape.KeyType(target.Map)}[])
          AND {SessionPath.Column("t", child.Deleted!)} = {SessionPath.Column("s", _session.Deleted!)}
        """;

    private string Update(SqlParameters parameters, NpgsqlParameter keys)
    {
        List<string> sets = [.. _session.Activity.Select(a => Set(a, "clock_timestamp()", parameters))];
        if (_session.Archived is { } archived)
            sets.Add($"{PgIdentifier.Quote(archived)} = false");
        if (_session.ArchiveLocation is { } location)
            sets.Add($"{PgIdentifier.Quote(location)} = NULL");
        if (_session.Status is { } status)
            sets.Add($"{PgIdentifier.Quote(status)} = 'active'");
        if (_session.Deleted is { } deleted)
            sets.Add($"{PgIdentifier.Quote(deleted)} = NULL");
        if (_session.Expires is { } expires)
            sets.Add(Set(expires, $"{parameters.Add(PgParameter.InstantOrNull(expiresAt))}::timestamptz", parameters));
        return $"""
            UPDATE {_session.Table.Sql} AS t SET {string.Join(", ", sets)}
            WHERE {SessionPath.Column("t", _session.Key)} = ANY ({parameters.Add(keys)}::{target.Shape.KeyType(target.Map)}[])
            """;
    }

    private string Set(string column, string instant, SqlParameters parameters)
    {
        var shape = target.Shape.Session[column];
        var zone = () => $"({instant} AT TIME ZONE {parameters.Add(PgParameter.Text(timeZone))})";
        return $"{PgIdentifier.Quote(column)} = " + shape.BaseType switch
        {
            "timestamp with time zone" => instant,
            "timestamp without time zone" => zone(),
            "date" => $"{zone()}::date",
            _ => throw new InvalidOperationException($"Column '{column}' is {shape.Type}, not a date or timestamp."),
        };
    }
}
