using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Import;

/// <summary>
/// <c>--reactivate</c>: a restored session counts as used now, whatever made it old. Rows that were deleted together with their session
/// come back with it; a message that its user deleted before stays deleted.
/// </summary>
internal sealed class Reactivation(RestoreTarget target, string timeZone, DateTimeOffset? expiresAt)
{
    private readonly SessionTable _session = target.Map.Session;

    public async Task ApplyAsync(NpgsqlConnection connection, IEnumerable<string> keys, CancellationToken cancellationToken)
    {
        var texts = PgParameter.Texts(keys);
        if (_session.Deleted is { } deleted)
        {
            foreach (
                var child in target.Map.Children.Where(c =>
                    c.Deleted is not null && c.Parent == SourceMap.SessionName && target.Find(c.Name) is not null
                )
            )
                await ExecuteAsync(parameters => Undelete(child, deleted, parameters));
        }
        await ExecuteAsync(Update);

        async Task ExecuteAsync(Func<SqlParameters, string> statement)
        {
            var parameters = new SqlParameters();
            parameters.Add(texts);
            var sql = statement(parameters);
            await connection.ExecuteAsync(sql, cancellationToken, parameters.ToArray());
        }
    }

    // Before the session's own flag is cleared: equal times say that one act deleted both.
    private string Undelete(ChildTable child, TimeColumn deleted, SqlParameters parameters)
    {
        var (ours, theirs) = (
            new TimeSql(child.Deleted!, target.Shape[child.Name], "t", timeZone),
            new TimeSql(deleted, target.Shape.Session, "s", timeZone)
        );
        return $"""
            UPDATE {child.Table.Sql} AS t SET {new TimeAssignment(child.Deleted!, target.Shape[child.Name], timeZone).Unset}
            FROM {_session.Table.Sql} AS s
            WHERE {SessionPath.Link(target.Shape, child, "t", "s")}
              AND {Keys("s")}
              AND {string.Join(" AND ", [.. SessionPath.RowsOf(child, "t"), "true"])}
              AND {ours.Instant(parameters)} = {theirs.Instant(parameters)}
            """;
    }

    private string Update(SqlParameters parameters)
    {
        List<string> sets =
        [
            .. _session.Activity.Where(TimeAssignment.CanBeSet).Select(a => Assignment(a).Set("clock_timestamp()", parameters)),
        ];
        if (_session.Archived is { } archived)
            sets.Add($"{PgIdentifier.Quote(archived)} = false");
        if (_session.ArchiveLocation is { } location)
            sets.Add($"{PgIdentifier.Quote(location)} = NULL");
        if (_session.Status is { } status)
            sets.Add($"{PgIdentifier.Quote(status)} = 'active'");
        if (_session.Deleted is { } deleted)
            sets.Add(Assignment(deleted).Unset);
        if (_session.Expires is { } expires)
            sets.Add(
                expiresAt is null
                    ? Assignment(expires).Unset
                    : Assignment(expires).Set($"{parameters.Add(PgParameter.InstantOrNull(expiresAt))}::timestamptz", parameters)
            );
        return $"""
            UPDATE {_session.Table.Sql} AS t SET {string.Join(", ", sets)}
            WHERE {Keys("t")}
            """;
    }

    private string Keys(string alias) =>
        KeyMatch.Among(KeyForm.Of(target.Map, target.Shape), "$1").Sql(target.Shape.KeyOf(target.Map, alias));

    private TimeAssignment Assignment(TimeColumn time) => new(time, target.Shape.Session, timeZone);
}
