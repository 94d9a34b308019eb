using System.Globalization;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Policies;

/// <summary>
/// Which messages an archive run with <c>Scope: Messages</c> takes of sessions that live on: those older than <c>MessagesOlderThan</c>, and
/// never one of the newest <c>KeepLast</c>. A message without a time, or with one in the future, is unknown and stays.
/// </summary>
internal sealed class DueMessages(SourceSettings source, SourceShape shape, Policy policy, Cutoffs cutoffs) : RowChoice
{
    private const string Rank = "archiver_rank";

    private readonly ChildTable _messages = source.Map.Children.Single(c => c.Name == SourceMap.MessagesName);

    /// <summary>With the rank of each message in its session, 1 for the newest, where that counts.</summary>
    public override SourceMap Map =>
        policy.KeepLast is null
            ? source.Map
            : source.Map with
            {
                Children = [.. source.Map.Children.Select(c => c.Name == _messages.Name ? c with { Derived = Ranked } : c)],
            };

    /// <inheritdoc/>
    public override string? Condition(ChildTable child, SqlParameters parameters)
    {
        if (MessageRows.Alias(source.Map, child) is not { } alias)
            return null;
        var old = Old(new(_messages.Time!, shape[_messages.Name], alias, source.TimeZone), parameters);
        return policy.KeepLast is null ? old : $"{SessionPath.Column(alias, Rank)} > {Last} AND {old}";
    }

    /// <summary>
    /// An old message in a session of more than KeepLast is due, for then the oldest is: so nothing is sorted to find the sessions.
    /// </summary>
    public override IEnumerable<Condition> OfSession(SqlParameters parameters)
    {
        var rows = $"SELECT {RowsOfSession}";
        var time = TimeSql.Of(source, shape, _messages, _messages.Time!);
        yield return new("no messages due", $"{_messages.Name}.{_messages.Time}", $"EXISTS ({rows} AND {Old(time, parameters)})")
        {
            IsBeyondStatistics = true,
        };
        // OFFSET: as many rows as stay are passed over, and one more is looked for.
        if (policy.KeepLast is not null)
            yield return new("no messages due", _messages.Name, $"EXISTS ({rows} AND NOT ({time.IsUnset}) OFFSET {Last})")
            {
                IsBeyondStatistics = true,
            };
    }

    /// <inheritdoc/>
    public override string? Late(SqlParameters parameters)
    {
        var time = TimeSql.Of(source, shape, _messages, _messages.Time!).Instant(parameters);
        List<string> since = [];
        if (policy.MessagesOlderThan is { } age)
            since.Add(
                $"{parameters.Add(PgParameter.Instant(cutoffs.Before(age)))} - (SELECT min({time}) {RowsOfSession} AND isfinite({time}))"
            );
        // As many as stay came before the one by which the oldest was too many.
        if (policy.KeepLast is not null)
            since.Add(
                $"{parameters.Add(PgParameter.Instant(cutoffs.Now))} - "
                    + $"(SELECT {time} {RowsOfSession} AND isfinite({time}) ORDER BY 1 OFFSET {Last} LIMIT 1)"
            );
        return $"least({string.Join(", ", since)})";
    }

    private string RowsOfSession
    {
        get
        {
            var path = SessionPath.Of(source.Map, shape, _messages);
            return $"FROM {path.From(_messages)} WHERE {path.Where(KeyMatch.Is(shape.KeyOf(source.Map, "s")))}";
        }
    }

    private string Last => policy.KeepLast!.Value.ToString(CultureInfo.InvariantCulture);

    // Equal times are told apart by what orders the messages in the document, and by their key: exactly so many stay.
    private string Ranked
    {
        get
        {
            var at = new TimeSql(_messages.Time!, shape[_messages.Name], "r", source.TimeZone).Instant(PgLiteral.Quote(source.TimeZone));
            IEnumerable<string> ties = _messages.Order.Concat(_messages.Key!).Distinct().Select(c => $"{SessionPath.Column("r", c)} DESC");
            return $"""
                (SELECT r.tableoid, r.ctid, r.xmin, r.*,
                        row_number() OVER (PARTITION BY {SessionPath.Columns("r", _messages.ForeignKey)}
                          ORDER BY {string.Join(", ", ties.Prepend($"{at} DESC NULLS LAST"))}) AS {Rank}
                 FROM {_messages.Table.Sql} AS r
                 WHERE {string.Join(" AND ", [.. SessionPath.RowsOf(_messages, "r"), "true"])})
                """;
        }
    }

    private string Old(TimeSql time, SqlParameters parameters) =>
        policy.MessagesOlderThan is { } age ? $"{time.SetAndOld(cutoffs.Before(age), parameters)}" : time.Known(cutoffs.Now, parameters);
}
