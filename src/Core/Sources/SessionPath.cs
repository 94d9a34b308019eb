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

    private SessionPath(string key, IReadOnlyList<string> joins, IReadOnlyList<string> conditions, Func<string, string>? values = null)
    {
        _values = values;
        Key = key;
        Joins = joins;
        Conditions = conditions;
    }

    /// <summary>
    /// SQL expression of the session's key. Where the child's foreign key column holds that key, it is this column, which may have another type and may
    /// spell the key otherwise; after <see cref="Among"/> it is the key as it was given.
    /// </summary>
    public string Key { get; }

    /// <summary>Other tables with their aliases, nearest first; empty for a plain child of the session table.</summary>
    public IReadOnlyList<string> Joins { get; }

    /// <summary>Conditions that join them.</summary>
    public IReadOnlyList<string> Conditions { get; }

    /// <summary>The path of one child.</summary>
    /// <param name="map">The source's.</param>
    /// <param name="child">One of its children.</param>
    /// <param name="ownType">Whether <see cref="Key"/> must be of the key's own type.</param>
    public static SessionPath Of(SourceMap map, ChildTable child, bool ownType = false)
    {
        List<string> joins = [], conditions = [];
        var (at, alias) = (child, "t");
        conditions.AddRange(RowsOf(child, alias));
        for (var level = 1; at.Parent != SourceMap.SessionName; level++)
        {
            var parent = map.Children.Single(c => c.Name == at.Parent);
            var parentAlias = $"p{level}";
            joins.Add($"{parent.Table.Sql} AS {parentAlias}");
            conditions.Add(LinkCast.Links(at, Column(alias, at.ForeignKey), Column(parentAlias, at.ParentKey)));
            conditions.AddRange(RowsOf(parent, parentAlias));
            (at, alias) = (parent, parentAlias);
        }
        if (at.ParentKey == map.Session.Key && !(ownType && at.Cast is not null))
            return new(Column(alias, at.ForeignKey), joins, conditions, at.Cast is { } type ? key => LinkCast.Values(type, key) : null);
        joins.Add($"{map.Session.Sql} AS s0");
        conditions.Add(LinkCast.Links(at, Column(alias, at.ForeignKey), Column("s0", at.ParentKey)));
        return new(Column("s0", map.Session.Key), joins, conditions);
    }

    /// <summary>The path of the rows of some sessions, whose conditions are all that <c>WHERE</c> needs.</summary>
    /// <param name="keys">SQL of an array of the key's type.</param>
    public SessionPath Among(string keys) => _values is null
        ? new(Key, Joins, [.. Conditions, $"{Key} = ANY ({keys})"])
        : new("g.id", [.. Joins, $"unnest({keys}) AS g (id)"], [.. Conditions, $"{Key} = ANY ({_values("g.id")})"]);

    /// <summary>The conditions, to stand behind <c>WHERE</c>.</summary>
    public string All => string.Join(" AND ", Conditions);

    /// <summary><c>FROM</c> list for a select over the child.</summary>
    public string From(ChildTable child) => string.Join(", ", [$"{child.Table.Sql} AS t", .. Joins]);

    /// <summary><c>USING</c> clause for a delete, with its leading blank, or nothing.</summary>
    public string Using => Joins.Count == 0 ? "" : $" USING {string.Join(", ", Joins)}";

    /// <summary>The conditions followed by one on the session key.</summary>
    public string Where(KeyMatch key) => string.Join(" AND ", [.. Conditions, $"{Key} {key.Sql(_values)}"]);

    /// <summary>The conditions under which rows of a child's table are the child's.</summary>
    public static IEnumerable<string> RowsOf(ChildTable child, string alias) =>
        child.Where.OrderBy(w => w.Key, StringComparer.Ordinal).Select(w => $"{Column(alias, w.Key)} = {PgLiteral.Quote(w.Value)}");

    /// <summary>A qualified column, quoted.</summary>
    public static string Column(string alias, string column) => $"{alias}.{PgIdentifier.Quote(column)}";
}
