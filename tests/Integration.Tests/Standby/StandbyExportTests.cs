using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Standby;

public sealed class StandbyExportTests(TestServers servers, StandbyServers pair) : IClassFixture<StandbyServers>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Exports_from_the_standby_and_deletes_on_the_primary()
    {
        await using var archiver = await CreateAsync(s => StandbyServers.Patient(StandbyServers.From(pair.Standby, s)));

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Done, 10L), (summary.Outcome, summary.Sessions));
        Assert.Equal(5, await LiveAsync(archiver));
        Assert.Contains(
            "COPY (SELECT",
            await File.ReadAllTextAsync(Path.Combine(pair.Standby.Folder, "log", "postgres"), Token),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Says_so_and_loses_nothing_while_the_standby_is_minutes_behind()
    {
        await using var archiver = await CreateAsync(s => StandbyServers.From(pair.Standby, s));
        // Not even the ledger has got there.
        await OnStandbyAsync("SELECT pg_wal_replay_pause()");

        var behind = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Failed, 0L, 1), (behind.Outcome, behind.Sessions, behind.ExitCode));
        Assert.Contains(
            "Archiver:Sources:main:ReplicaConnectionString has not got this run's record after 1 s",
            behind.Error,
            StringComparison.Ordinal
        );
        Assert.Equal(15, await LiveAsync(archiver));
        await ResumeAsync();
        archiver.Settings = StandbyServers.Patient(archiver.Settings);
        Assert.Equal(10, (await archiver.RunAsync(Token)).Sessions);
    }

    [Fact]
    public async Task Leaves_alone_what_changed_on_the_primary_and_not_yet_on_the_standby()
    {
        await using var archiver = await CreateAsync(s => StandbyServers.From(pair.Standby, s));
        // After the first batch the standby stands still, and every message that is left gets another text: the second batch exports the
        // old one, and what the primary wrote since never arrives.
        InProcessFault.Once(FaultPoints.Exported, async () =>
        {
            await OnStandbyAsync("SELECT pg_wal_replay_pause()");
            await archiver.ExecuteAsync(
                """
                UPDATE chat_messages SET content = 'new' WHERE session_id IN (
                  SELECT session_id FROM chat_sessions WHERE last_activity < now() - interval '90 days'
                    ORDER BY last_activity, session_id OFFSET 5)
                """,
                null
            );
        });

        var summary = await archiver.RunAsync(Token);

        Assert.Equal(RunOutcome.Failed, summary.Outcome);
        Assert.InRange(summary.Sessions, 0, 5);
        Assert.Equal(15 - summary.Sessions, await LiveAsync(archiver));
        Assert.Equal(20, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_messages WHERE content = 'new'"));
        await ResumeAsync();
        archiver.Settings = StandbyServers.Patient(archiver.Settings);
        Assert.Equal(10 - summary.Sessions, (await archiver.RunAsync(Token)).Sessions);
    }

    [Fact]
    public async Task Says_so_and_loses_nothing_when_the_standby_is_gone()
    {
        await using var archiver = await CreateAsync(s => StandbyServers.From(pair.Standby, s));
        InProcessFault.Once(FaultPoints.Exported, () => pair.Standby.KillAsync(Token));

        var summary = await archiver.RunAsync(Token);

        await pair.Standby.StartAgainAsync(Token);
        Assert.Equal(RunOutcome.Failed, summary.Outcome);
        Assert.InRange(summary.Sessions, 0, 5);
        Assert.Contains("Archiver:Sources:main:ReplicaConnectionString", summary.Error, StringComparison.Ordinal);
        Assert.Equal(15 - summary.Sessions, await LiveAsync(archiver));
        await StandbyServers.CaughtUpAsync(pair.Primary, pair.Standby, Token);
        archiver.Settings = StandbyServers.Patient(archiver.Settings);
        Assert.Equal(10 - summary.Sessions, (await archiver.RunAsync(Token)).Sessions);
    }

    [Fact]
    public async Task Waits_for_a_replica_that_is_too_far_behind_and_goes_on_when_it_has_caught_up()
    {
        await using var archiver = await CreateAsync(s => WithMaxLag(s, TimeSpan.FromMinutes(5)));
        await OnStandbyAsync("SELECT pg_wal_replay_pause()");

        var running = archiver.RunAsync(Token);
        await Eventually.TrueAsync(() => archiver.Events.Has(1017), Token);
        Assert.False(running.IsCompleted);
        await ResumeAsync();
        var summary = await running;

        Assert.Equal((RunOutcome.Done, 10L), (summary.Outcome, summary.Sessions));
    }

    [Fact]
    public async Task Leaves_the_rest_to_the_next_run_when_the_replica_does_not_catch_up()
    {
        await using var archiver = await CreateAsync(s => WithMaxLag(s, TimeSpan.FromSeconds(1)));
        await OnStandbyAsync("SELECT pg_wal_replay_pause()");

        var summary = await archiver.RunAsync(Token);

        await ResumeAsync();
        Assert.InRange(summary.Sessions, 0, 5);
        Assert.Equal(RunOutcome.Done, summary.Outcome);
        Assert.True(archiver.Events.Has(1015));
        Assert.Equal(15 - summary.Sessions, await LiveAsync(archiver));
    }

    // Any lag: the run's own record is one.
    private static ArchiverSettings WithMaxLag(ArchiverSettings settings, TimeSpan budget)
    {
        settings = StandbyServers.Patient(budget, settings);
        return settings with { Batch = settings.Batch with { MaxReplicationLag = TimeSpan.FromMilliseconds(1) } };
    }

    private async Task<ArchiverFixture> CreateAsync(Func<ArchiverSettings, ArchiverSettings> configure)
    {
        var archiver = await ArchiverFixture.CreateAsync(
            servers,
            Token,
            idle: 10,
            server: pair.Primary.ConnectionString,
            configure: configure
        );
        await StandbyServers.CaughtUpAsync(pair.Primary, pair.Standby, Token);
        return archiver;
    }

    private async Task OnStandbyAsync(string sql) => await StandbyServers.ScalarAsync<object>(pair.Standby, sql, Token);

    private async Task ResumeAsync()
    {
        await OnStandbyAsync("SELECT pg_wal_replay_resume()");
        await StandbyServers.CaughtUpAsync(pair.Primary, pair.Standby, Token);
    }

    private static Task<long> LiveAsync(ArchiverFixture archiver) =>
        archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions");
}
