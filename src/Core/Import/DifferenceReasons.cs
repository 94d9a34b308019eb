using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Import;

/// <summary>Says why sessions are refused whose rows came out otherwise than they went in.</summary>
internal sealed class DifferenceReasons(NpgsqlConnection connection, ImportTarget into)
{
    private readonly ImportStatements _statements = new(into.Target);

    /// <summary>Reasons by session key.</summary>
    /// <param name="differing">By key, the first table whose rows are not the document's.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<Dictionary<string, string>> ExplainAsync(
        Dictionary<string, PlannedTable> differing,
        CancellationToken cancellationToken
    )
    {
        Dictionary<string, string> reasons = new(StringComparer.Ordinal);
        foreach (var table in differing.Values.Distinct())
        {
            List<string> changed = [];
            if (_statements.Differences(table) is { } sql)
            {
                var flags = (await connection.ScalarAsync<bool[]>(sql, cancellationToken))!;
                changed.AddRange(table.Written.Where((_, i) => flags[i]).Select(c => c.Target!.Name));
            }
            var reason = ImportRefusal.Of(table, changed, into.Options.DisableTriggers ? [] : ImportRefusal.Suspects(into.Target, table));
            foreach (var (key, _) in differing.Where(d => d.Value == table))
                reasons.Add(key, reason);
        }
        return reasons;
    }
}
