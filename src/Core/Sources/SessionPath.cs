using Archiver.Core.Postgres;
using Archiver.Core.Settings;

namespace Archiver.Core.Sources;

/// <summary>
/// How a child's rows are tied to their session: the tables between, the join conditions, and the expression that is the session's key.
/// Selection, export, lock and delete all build on it, so they cannot disagree about which rows belong to a session.
/// The child itself has alias <c>t</c>.
/// </summary>
internal sealed class SessionPath
{
    private readonly Func<string, string>? _values;

    private SessionPath(SessionKey key, IReadOnlyList<string> joins, IReadOnlyList<string> conditions, Func<string, string>? values = null)
    {
        _values = values;
        Key = key;
        Joins = joins;
        Conditions = conditions;
    }

    /// <summary>
    /// The session's key. Where the child's foreign key columns hold that key, it is these columns. A single one may have another type and
    /// may spell the key otherwise; after <see cref="Among"/> it is the key as it was given.
    /// </summary>
    public SessionKey Key { get; }

    /// <summary>Other tables with their aliases, nearest first; empty for a plain child of the session table.</summary>
    public IReadOnlyList<string> Joins { get; }

    /// <summary>Conditions that join them.</summary>
    public IReadOnlyList<string> Conditions { get; }

    /// <summary>The path of one child.</summary>
    /// <param name="map">The source's.</param>
    /// <param name="shape">Its tables.</param>
    /// <param name="child">One of its children.</param>
    /// <param name="ownType">Whether <see cref="Key"/> must be of the key's own type.</param>
    public static SessionPath Of(SourceMap map, SourceShape shape, ChildTable child, bool ownType = false)
    {
        List<string> joins = [],
            conditions = [];
        var (at, alias) = (child, "t");
        conditions.AddRange(RowsOf(child, alias));
        foreach (var (parent, parentAlias) in Upwards(map, child).Skip(1))
        {
            joins.Add($"{parent.Sql} AS {parentAlias}");
            conditions.Add(Link(shape, at, alias, parentAlias));
            conditions.AddRange(RowsOf(parent, parentAlias));
            (at, alias) = (parent, parentAlias);
        }
        var form = KeyForm.Of(map, shape);
        if (at.ParentKey.Count == map.Session.Key.Count && at.ParentKey.All(map.Session.Key.Contains) && !(ownType && at.Cast is not null))
        {
            List<string> parents = [.. at.ParentKey];
            var key = form.Of([.. map.Session.Key.Select(k => Column(alias, at.ForeignKey[parents.IndexOf(k)]))]);
            return new(key, joins, conditions, at.Cast is null ? null : k => LinkCast.Values(at, shape, k));
        }
        joins.Add($"{map.Session.Sql} AS s0");
        conditions.Add(Link(shape, at, alias, "s0"));
        return new(form.Of("s0"), joins, conditions);
    }

    /// <summary>The child and the tables above it, the session's own left out, with the aliases that they have in its path.</summary>
    public static IEnumerable<(ChildTable Table, string Alias)> Upwards(SourceMap map, ChildTable child)
    {
        yield return (child, "t");
        for (var level = 1; child.Parent != SourceMap.SessionName; level++)
        {
            child = map.Children.Single(c => c.Name == child.Parent);
            yield return (child, $"p{level}");
        }
    }

    /// <summary>The path of the rows of some sessions, whose conditions are all that <c>WHERE</c> needs.</summary>
    /// <param name="form">What the ids are of.</param>
    /// <param name="ids">SQL of an array of texts.</param>
    public SessionPath Among(KeyForm form, string ids) =>
        _values is null
            ? new(Key, Joins, [.. Conditions, KeyMatch.Among(form, ids).Sql(Key)])
            : new(
                form.Parse("g.id"),
                [.. Joins, $"unnest({ids}::{form.Type}[]) AS g (id)"],
                [.. Conditions, $"{Key} = ANY ({_values("g.id")})"]
            );

    /// <summary>The conditions, to stand behind <c>WHERE</c>.</summary>
    public string All => string.Join(" AND ", Conditions);

    /// <summary><c>FROM</c> list for a select over the child.</summary>
    public string From(ChildTable child) => string.Join(", ", [$"{child.Sql} AS t", .. Joins]);

    /// <summary><c>USING</c> clause for a delete, with its leading blank, or nothing.</summary>
    public string Using => Joins.Count == 0 ? "" : $" USING {string.Join(", ", Joins)}";

    /// <summary>The conditions followed by one on the session key.</summary>
    public string Where(KeyMatch key) => string.Join(" AND ", [.. Conditions, key.Sql(Key, _values)]);

    /// <summary>A child's row is tied to this row of its parent.</summary>
    public static string Link(SourceShape shape, ChildTable child, string alias, string parentAlias) =>
        child.ForeignKey.Only is { } only
            ? LinkCast.Links(child, shape, Column(alias, only), Column(parentAlias, child.ParentKey[0]))
            : $"({Columns(alias, child.ForeignKey)}) = ({Columns(parentAlias, child.ParentKey)})";

    /// <summary>The conditions under which rows of a child's table are the child's.</summary>
    public static IEnumerable<string> RowsOf(ChildTable child, string alias) =>
        child.Where.OrderBy(w => w.Key, StringComparer.Ordinal).Select(w => $"{Column(alias, w.Key)} = {PgLiteral.Quote(w.Value)}");

    /// <summary>Qualified columns, quoted.</summary>
    public static string Columns(string alias, IEnumerable<string> columns) => string.Join(", ", columns.Select(c => Column(alias, c)));

    /// <summary>A qualified column, quoted.</summary>
    public static string Column(string alias, string column) => $"{alias}.{PgIdentifier.Quote(column)}";
}
