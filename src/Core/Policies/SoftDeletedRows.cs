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
        var some = Deletable.Select(child =>
            $"EXISTS (SELECT {RowsOfSession(child)} AND {Old(TimeSql.Of(source, shape, child, child.Deleted!), parameters)})"
        );
        yield return new("no rows deleted long enough", "rows", $"({string.Join("\n    OR ", some)})");
    }

    /// <inheritdoc/>
    public override string? Late(SqlParameters parameters)
    {
        var cutoff = parameters.Add(PgParameter.Instant(cutoffs.Before(policy.DeletedFor!.Value)));
        var since = Deletable.Select(child =>
        {
            var deleted = TimeSql.Of(source, shape, child, child.Deleted!).Instant(parameters);
            return $"{cutoff} - (SELECT min({deleted}) {RowsOfSession(child)} AND isfinite({deleted}))";
        });
        return $"greatest({string.Join(", ", since)})";
    }

    private IEnumerable<ChildTable> Deletable => source.Map.Children.Where(c => c.Deleted is not null);

    private string RowsOfSession(ChildTable child)
    {
        var path = SessionPath.Of(source.Map, shape, child);
        return $"FROM {path.From(child)} WHERE {path.Where(KeyMatch.Is(shape.KeyOf(source.Map, "s")))}";
    }

    private string Old(TimeSql deleted, SqlParameters parameters) =>
        deleted.SetAndOld(cutoffs.Before(policy.DeletedFor!.Value), parameters);
}
