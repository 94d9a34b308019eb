using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Quartz;

namespace Archiver.Worker.Jobs;

/// <summary>
/// Finds policies whose scheduled time came while no worker was there. The ledger remembers, so the schedule itself need not.
/// </summary>
internal sealed class MissedRuns(ArchiverSettings settings, ConnectionCatalog connections, TimeProvider time)
{
    /// <summary>Names of the source's policies whose last run predates their last scheduled time.</summary>
    public async Task<IReadOnlySet<string>> FindAsync(SourceSettings source, CancellationToken cancellationToken)
    {
        await using var connection = await connections[source.Name].OpenAsync(cancellationToken);
        var last = await RunHistory.LastRunsAsync(
            connection,
            source.Name,
            source.Policies.Select(p => p.Name),
            settings.Schedule.Shards,
            RunHistory.OfPolicies,
            cancellationToken
        );
        var now = time.GetUtcNow();
        return source
            .Policies.Where(p =>
                CronExpression.Parse(p.Cron).WithTimeZone(settings.Schedule.TimeZone).GetNextValidTimeAfter(last[p.Name]) <= now
            )
            .Select(p => p.Name)
            .ToHashSet(StringComparer.Ordinal);
    }
}
