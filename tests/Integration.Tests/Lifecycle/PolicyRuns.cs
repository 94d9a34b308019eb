using Archiver.Core.Ledger;
using Archiver.Core.Pipelines;
using Archiver.Core.Settings;
using Archiver.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>Runs and plans of policies of a test's own, on the sessions of a fixture.</summary>
internal static class PolicyRuns
{
    public static Policy Purge(PurgeScope scope = PurgeScope.Sessions) =>
        new()
        {
            Source = "main",
            Name = "purge",
            Action = PolicyAction.Purge,
            Scope = scope,
            DeletedFor = TimeSpan.FromDays(90),
        };

    public static Policy Expire() =>
        new()
        {
            Source = "main",
            Name = "expire",
            Action = PolicyAction.Expire,
            ExpiredFor = TimeSpan.Zero,
        };

    public static Policy Archive() =>
        new()
        {
            Source = "main",
            Name = "idle",
            Action = PolicyAction.Archive,
            IdleFor = TimeSpan.FromDays(90),
        };

    /// <param name="afterFirstBatch">
    /// What somebody else does when the first batch is committed; by then the second one is selected if rows bound the batches.
    /// </param>
    /// <param name="archiver">The installation.</param>
    /// <param name="policy">The policy.</param>
    /// <param name="cancellationToken">Stops the run.</param>
    /// <param name="time">The worker's clock.</param>
    public static Task<RunSummary> RunAsync(
        this ArchiverFixture archiver,
        Policy policy,
        CancellationToken cancellationToken,
        string? afterFirstBatch = null,
        TimeProvider? time = null
    ) =>
        new PolicyRunner(
            archiver.Settings,
            archiver.Catalog,
            archiver.Store,
            time ?? TimeProvider.System,
            NullLogger<PolicyRunner>.Instance
        ).RunAsync(
            new RunRequest(archiver.SourceWith(policy), policy),
            afterFirstBatch is null ? null : new Strike(archiver, afterFirstBatch),
            cancellationToken
        );

    public static Task<PreviewedPolicy> PlanAsync(
        this ArchiverFixture archiver,
        Policy policy,
        CancellationToken cancellationToken,
        params Policy[] others
    ) =>
        new PolicyPreview(archiver.Settings, archiver.Catalog).ReadAsync(
            archiver.SourceWith([policy, .. others]),
            policy,
            int.MaxValue,
            cancellationToken
        );

    /// <summary>A hold on one session, as <c>hold add</c> writes it.</summary>
    public static Task HoldAsync(this ArchiverFixture archiver, string session) =>
        archiver.Database.ExecuteAsync(
            $"INSERT INTO archiver.holds (source, session_id, reason, created_by) VALUES ('main', '{session}', 'case 7', 'test')"
        );

    public static async Task MigrateAsync(this ArchiverFixture archiver, CancellationToken cancellationToken)
    {
        await using var connection = await archiver.Connections.OpenAsync(cancellationToken);
        await Core.Ledger.Migrator.MigrateAsync(connection, cancellationToken);
    }

    private sealed class Strike(ArchiverFixture archiver, string sql) : IProgress<RunProgress>
    {
        private bool _done;

        public void Report(RunProgress value)
        {
            if (_done || value.Finished == 0)
                return;
            _done = true;
            using var command = archiver.Database.DataSource.CreateCommand(sql);
            command.ExecuteNonQuery();
        }
    }

    public static SourceSettings SourceWith(this ArchiverFixture archiver, params Policy[] policies) =>
        archiver.Source with
        {
            Policies = policies,
        };
}
