using Archiver.Core.Ledger;
using Archiver.Core.Policies;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Selection;

/// <summary>The SQL of selection, put together once a run from the map and the policy.</summary>
internal sealed class SelectionStatements
{
    private readonly RunContext _run;
    private readonly SessionTable _table;
    private readonly KeyForm _form;
    private readonly RowChoice? _only;
    private readonly SourceMap _map;

    public SelectionStatements(RunContext run)
    {
        _run = run;
        _table = run.Source.Map.Session;
        _only = RowChoice.Of(run.Source, run.Shape, run.Policy, run.Cutoffs);
        _map = _only?.Map ?? run.Source.Map;
        _form = KeyForm.Of(run.Source.Map, run.Shape);
    }

    /// <summary>
    /// One page of candidates in the order of the column that the policy judges and the key, after the page before: never OFFSET, whose
    /// cost grows with the backlog. Both columns stand in one row comparison, so one index serves condition and order.
    /// <para>What the planner has no statistics for is asked of each row in one subquery: that this gives a value it takes for nearly
    /// certain. As conditions of the query itself they would leave a single session in its belief, for which a scan of everything with a
    /// sort is no dearer than the index, page after page.</para>
    /// </summary>
    public string Page(SqlParameters parameters, PageMark? after, int limit)
    {
        var key = _form.Of("s");
        // The keys that occur come in their own order, each with what dates it: any other would read all rows for every page. So do
        // sessions that live on: their activity changes while the run goes on, and one might come twice.
        var time = _table.HasRow && !_run.Policy.TakesParts ? Time(EligibilityPredicate.OrderColumn(_run.Policy, _table)) : null;
        List<Condition> conditions =
        [
            .. new EligibilityPredicate(_run.Source, _run.Shape, _run.Policy, _run.Cutoffs).Conditions(parameters),
            .. new LedgerConditions(_run).Of(key, parameters),
        ];
        SessionKey Given(PageMark mark) => _form.Parse($"{parameters.Add(PgParameter.Text(mark.Key))}::{_form.Type}");
        var beyond =
            after is null ? null
            : time is null ? $"{key.Row} > {Given(after).Row}"
            : $"({time.Value}, {key.List}) > ({parameters.Add(PgParameter.Text(after.Order))}::{time.Type}, {Given(after).List})";
        var from = beyond is null ? "" : $"\n  AND {beyond}";
        return $"""
            SELECT {Facts(parameters)},
                   {time?.Value ?? key.Id}::text,
                   1 + coalesce((SELECT max(a.generation) FROM archiver.archives AS a WHERE a.source = {Source(parameters)}
                     AND a.session_id = {key}::text), 0),
                   {RowBytes.Of(_run.Shape.Session, "s")}
            FROM {_table.Sql} AS s
            WHERE {Condition.Narrow(conditions)}{from}
              AND (SELECT true WHERE {Condition.All(conditions.Where(c => c.IsBeyondStatistics))}) IS NOT NULL
            ORDER BY {(time is null ? "" : $"{time.Value}, ")}{key.List}
            LIMIT {parameters.Add(PgParameter.Int(limit))}
            """;
    }

    /// <summary>Whether the policy takes sessions with all their rows; else it takes some rows of sessions that stay.</summary>
    public bool WholeSessions => _only is null;

    /// <summary>
    /// Rows and bytes of one child table for each of the sessions in the parameter, of all rows or of those that the policy takes; and the
    /// youngest and the oldest time among them, each as text and in seconds.
    /// </summary>
    public string Sizes(ChildTable child, SqlParameters parameters, IEnumerable<string> keys)
    {
        child = _map.Children.Single(c => c.Name == child.Name);
        var path = SessionPath.Of(_map, _run.Shape, child).Among(_form, parameters.Add(PgParameter.Texts(keys)));
        var time = child.Time is null ? "NULL::timestamptz" : TimeSql.Of(_run.Source, _run.Shape, child, child.Time).Instant(parameters);
        return $"""
            SELECT {path.Key}::text, count(*), sum({RowBytes.Of(_run.Shape[child.Name], "t")})::bigint, max({time})::text, extract(epoch
              FROM max({time}))::float8,
                   min({time})::text, extract(epoch FROM min({time}))::float8
            FROM {path.From(child)}
            WHERE {path.All}{Taken(child, parameters)}
            GROUP BY {path.Key}
            """;
    }

    /// <summary><c>FROM</c> and <c>WHERE</c> of every session (alias <c>s</c>) that the policy takes.</summary>
    public string Eligible(SqlParameters parameters) =>
        $"""
            FROM {_table.Sql} AS s
            WHERE {new EligibilityPredicate(_run.Source, _run.Shape, _run.Policy, _run.Cutoffs).Sql(parameters)}
              AND {new LedgerConditions(_run).Sql(_form.Of("s"), parameters)}
            """;

    /// <summary>The keys of those of some sessions that the policy takes, as it is now: somebody may have written since.</summary>
    public string StillEligible(SqlParameters parameters, IEnumerable<string> keys) =>
        $"SELECT {_form.Of("s")}::text {Among(parameters, keys)}";

    /// <summary>The same with what <see cref="SelectedSession.Read"/> reads of each.</summary>
    public string StillEligibleFacts(SqlParameters parameters, IEnumerable<string> keys) =>
        $"SELECT {Facts(parameters)} {Among(parameters, keys)}";

    private string Among(SqlParameters parameters, IEnumerable<string> keys) =>
        $"{Eligible(parameters)}\n  AND {KeyMatch.Among(_form, parameters.Add(_form.Parameter(keys))).Sql(_form.Of("s"))}";

    /// <summary>Rows, bytes and the oldest of all eligible sessions.</summary>
    public string Total(SqlParameters parameters) =>
        $"""
            SELECT count(*), coalesce(sum({RowBytes.Of(_run.Shape.Session, "s")}), 0)::bigint,
              min({Instant(_table.Activity[0], parameters)})::text
            {Eligible(parameters)}
            """;

    /// <summary>Rows and bytes that all eligible sessions have in one child table.</summary>
    public string Total(ChildTable child, SqlParameters parameters)
    {
        child = _map.Children.Single(c => c.Name == child.Name);
        var path = SessionPath.Of(_map, _run.Shape, child);
        return $"""
            SELECT count(*), coalesce(sum({RowBytes.Of(_run.Shape[child.Name], "t")}), 0)::bigint
            FROM {path.From(child)}
            WHERE {path.Where(KeyMatch.In(_form.Of("s"), Eligible(parameters)))}{Taken(child, parameters)}
            """;
    }

    private string Taken(ChildTable child, SqlParameters parameters) =>
        _only is null ? "" : $" AND {_only.Condition(child, parameters) ?? "false"}";

    private string Facts(SqlParameters parameters) =>
        $"""
            {_form.Of("s")}::text,
                   {Text(_table.ExternalId)},
                   {Text(_table.User)},
                   {(_table.Created is null ? "NULL::text" : $"({Created(parameters)})::text")},
                   {LastActivity(parameters)}::text,
                   coalesce(extract(epoch FROM {LastActivity(parameters)})::float8, 'infinity'),
                   {FirstActivity(parameters)}::text,
                   coalesce(extract(epoch FROM {FirstActivity(parameters)})::float8, '-infinity'),
                   {Month(parameters)},
                   {Keep(parameters)}
            """;

    private string Source(SqlParameters parameters) => parameters.Add(PgParameter.Text(_run.Source.Name));

    private static string Text(string? column) => column is null ? "NULL::text" : $"{SessionPath.Column("s", column)}::text";

    private TimeSql Time(TimeColumn time) => TimeSql.Of(_run.Source, _run.Shape, time);

    private string Instant(TimeColumn time, SqlParameters parameters) => Time(time).Instant(parameters);

    private string Created(SqlParameters parameters) =>
        TimeSql.Of(_run.Source, _run.Shape, _table.Created!, first: true).Instant(parameters);

    private string LastActivity(SqlParameters parameters) =>
        $"greatest({string.Join(", ", _table.Activity.Select(c => Instant(c, parameters)))})";

    // As HoldCondition has it for a live session.
    private string FirstActivity(SqlParameters parameters)
    {
        var activity = $"least({string.Join(", ", _table.Activity.Select(c => Instant(c, parameters)))})";
        return _table.Created is null ? activity : $"coalesce({Created(parameters)}, {activity})";
    }

    private string Month(SqlParameters parameters)
    {
        var activity = $"least({string.Join(", ", _table.Activity.Select(c => Instant(c, parameters)))})";
        var created = _table.Created is null ? "NULL" : $"CASE WHEN isfinite({Created(parameters)}) THEN {Created(parameters)} END";
        var now = parameters.Add(PgParameter.Instant(_run.Cutoffs.Now));
        return $"to_char(coalesce({created}, CASE WHEN isfinite({activity}) THEN {activity} END, {now}) AT TIME ZONE 'UTC', 'YYYY/MM')";
    }

    private string Keep(SqlParameters parameters) =>
        _run.Source.Keep.Count == 0
            ? "NULL::text"
            : $"json_build_object({string.Join(", ", _run.Source.Keep.Select(c => Pair(c, parameters)))})::text";

    private static string Pair(string column, SqlParameters parameters) =>
        $"{parameters.Add(PgParameter.Text(column))}, {SessionPath.Column("s", column)}";
}
