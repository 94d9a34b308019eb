using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Policies;

/// <summary>
/// Which rows of a session a purge with <c>Scope: Messages</c> takes: those that were soft-deleted long enough ago, and everything below
/// them, which must not be left without its parent.
/// </summary>
internal sealed class SoftDeletedRows(SourceSettings source, SourceShape shape, Policy policy, Cutoffs cutoffs) : RowChoice
{
    /// <inheritdoc/>
    public override SourceMap Map => source.Map;

    /// <inheritdoc/>
    public override string? Condition(ChildTable child, SqlParameters parameters)
    {
        List<string> old =
        [
            .. SessionPath
                .Upwards(source.Map, child)
                .Where(t => t.Table.Deleted is not null)
                .Select(t => Old(new(t.Table.Deleted!, shape[t.Table.Name], t.Alias, source.TimeZone), parameters)),
        ];
        return old.Count == 0 ? null : $"({string.Join(" OR ", old)})";
    }

    /// <inheritdoc/>
    public override IEnumerable<Condition> OfSession(SqlParameters parameters)
    {
        var some = source
            .Map.Children.Where(c => c.Deleted is not null)
            .Select(child =>
            {
                var path = SessionPath.Of(source.Map, shape, child);
                var old = Old(TimeSql.Of(source, shape, child, child.Deleted!), parameters);
                return $"EXISTS (SELECT FROM {path.From(child)} WHERE {path.Where(KeyMatch.Is(shape.KeyOf(source.Map, "s")))} AND {old})";
            });
        yield return new("no rows deleted long enough", "rows", $"({string.Join("\n    OR ", some)})");
    }

    private string Old(TimeSql deleted, SqlParameters parameters) =>
        deleted.SetAndOld(cutoffs.Before(policy.DeletedFor!.Value), parameters);
}
