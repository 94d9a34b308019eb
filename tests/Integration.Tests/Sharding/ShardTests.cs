using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Pipelines;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Archiver.Integration.Tests.Sharding;

public sealed class ShardTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Splits_a_backlog_so_that_each_session_is_archived_once()
    {
        await using var archiver = await CreateAsync(shards: 3, idle: 40);

        var first = await RunShardAsync(archiver, new Shard(2, 3));
        var left = await archiver.Database.ScalarAsync<long>(
            "SELECT count(*) FROM chat_sessions WHERE last_activity < now() - interval '90 days'"
        );
        var rest = await archiver.RunAsync(Token);

        Assert.InRange(first.Sessions, 1, 39);
        Assert.Equal((RunOutcome.Done, 40 - first.Sessions, 40 - first.Sessions), (rest.Outcome, rest.Sessions, left));
        Assert.Equal(
            "40/40",
            await archiver.Database.ScalarAsync<string>(
                "SELECT count(*) || '/' || count(DISTINCT session_id) FROM archiver.archives WHERE state = 'archived'"
            )
        );
        Assert.Equal(
            "2/3 1/3 2/3 3/3",
            await archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(shard || '/' || shards, ' ' ORDER BY started_at) FROM archiver.runs"
            )
        );
    }

    /// <summary>Whoever reads "refused" takes it that nothing was changed.</summary>
    [Fact]
    public async Task A_shard_that_is_refused_after_another_archived_is_a_part_that_was_not_done()
    {
        await using var archiver = await CreateAsync(shards: 2, idle: 1);
        RunSummary Of(RunOutcome outcome, long sessions) =>
            new()
            {
                Source = "main",
                Policy = "idle",
                Outcome = outcome,
                Sessions = sessions,
            };

        var merged = await new ShardedRun(
            new RunRequest(archiver.Source, archiver.Policy),
            shards: 2,
            part => Task.FromResult(part.Shard!.Value.Number == 1 ? Of(RunOutcome.Done, 3) : Of(RunOutcome.Refused, 0)),
            _ => Task.FromResult<IReadOnlyList<int>>([])
        ).RunAsync(Token);

        Assert.Equal((RunOutcome.Partial, 3L, 1), (merged.Outcome, merged.Sessions, merged.ExitCode));
    }

    [Fact]
    public async Task Lets_two_workers_have_two_shards_at_the_same_time_and_a_restore_neither()
    {
        await using var archiver = await CreateAsync(shards: 2, idle: 12);
        RunSummary? other = null;
        var whole = false;
        archiver.Store = new HookedStore(archiver.Store)
        {
            BeforeFirstPut = async () =>
            {
                await using (var all = await SourceLock.TryTakeAsync(archiver.Connections, TimeProvider.System, Token))
                    whole = all is not null;
                other = await archiver.RunAsync(Token);
            },
        };

        var first = await RunShardAsync(archiver, new Shard(1, 2));

        Assert.False(whole);
        Assert.Equal((RunOutcome.Done, RunOutcome.Done), (first.Outcome, other!.Outcome));
        Assert.Equal(12, first.Sessions + other.Sessions);
        // The second worker was told of the first one's shard and neither took it nor gave its objects up as a dead run's.
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.objects WHERE state <> 'stored'"));
        Assert.Equal(2, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.runs WHERE state = 'done'"));
    }

    [Theory]
    [InlineData(1, 2, 3)]
    [InlineData(1, 1, 2)]
    [InlineData(2, 2, 1)]
    public async Task Refuses_while_a_worker_splits_the_source_in_another_way(int number, int running, int own)
    {
        await using var archiver = await CreateAsync(shards: own, idle: 12);
        RunSummary? other = null;
        archiver.Store = new HookedStore(archiver.Store) { BeforeFirstPut = async () => other = await archiver.RunAsync(Token) };

        var first = await RunShardAsync(archiver, new Shard(number, running));

        Assert.Equal((RunOutcome.Refused, 3), (other!.Outcome, other.ExitCode));
        Assert.Contains($"Archiver:Schedule:Shards {running}, and this one has {own}", other.Error, StringComparison.Ordinal);
        Assert.Equal(RunOutcome.Done, first.Outcome);
        Assert.Equal(12 - first.Sessions, (await archiver.RunAsync(Token)).Sessions);
    }

    [Fact]
    public async Task Does_the_shard_of_a_worker_that_died_meanwhile()
    {
        await using var archiver = await CreateAsync(shards: 2, idle: 12);
        // Shard 1 is another worker's, which records a run and dies while this one has shard 2.
        var dying = await archiver.BeginAsync(new(archiver.Source, archiver.Policy, Shard: new Shard(1, 2)), Token);
        archiver.Store = new HookedStore(archiver.Store) { BeforeFirstPut = async () => await dying.DisposeAsync() };

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Done, 12L), (summary.Outcome, summary.Sessions));
        Assert.Equal(
            "interrupted",
            await archiver.Database.ScalarAsync<string>($"SELECT state FROM archiver.runs WHERE id = '{dying.Context.Id}'")
        );
    }

    [Fact]
    public async Task Divides_MaxSessions_and_looks_at_all_shards_for_the_trip_wire()
    {
        await using var archiver = await CreateAsync(shards: 2, idle: 1200, maxShare: 0.9);

        var refused = await archiver.RunAsync(Token);
        var bounded = await new PolicyRunner(
            archiver.Settings,
            archiver.Catalog,
            archiver.Store,
            TimeProvider.System,
            NullLogger<PolicyRunner>.Instance
        ).RunAsync(new RunRequest(archiver.Source, archiver.Policy, MaxSessions: 5), null, Token);

        Assert.Equal(RunOutcome.Refused, refused.Outcome);
        Assert.Contains("would take 1200 of 1205 sessions", refused.Error, StringComparison.Ordinal);
        Assert.Equal(5, bounded.Sessions);
        Assert.Equal(
            "3 2",
            await archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(sessions_done::text, ' ' ORDER BY started_at) FROM archiver.runs WHERE state = 'done'"
            )
        );
    }

    [Fact]
    public async Task Selects_a_shard_by_the_same_index_as_a_whole_source()
    {
        await using var archiver = await CreateAsync(shards: 2, idle: 4000, messages: 1);
        await archiver.ExecuteAsync(
            "INSERT INTO chat_sessions (session_id, user_id, last_activity) SELECT gen_random_uuid(), 'u', now() "
                + "FROM generate_series(1, 40000); ANALYZE chat_sessions",
            null
        );
        await using var scope = await archiver.BeginAsync(new(archiver.Source, archiver.Policy, Shard: new Shard(1, 2)), Token);
        var parameters = new SqlParameters();
        var sql = new Core.Selection.SelectionStatements(scope.Context).Page(parameters, null, 1000);
        await using var connection = await archiver.Connections.OpenAsync(Token);
        await connection.ExecuteAsync("SET search_path = pg_catalog", Token);

        var plan = string.Join('\n', await connection.QueryAsync($"EXPLAIN {sql}", row => row.GetString(0), Token, parameters.ToArray()));

        Assert.Contains("hashtextextended", plan, StringComparison.Ordinal);
        Assert.DoesNotContain("Seq Scan on chat_sessions", plan, StringComparison.Ordinal);
    }

    private Task<ArchiverFixture> CreateAsync(int shards, int idle, int messages = 2, double maxShare = 1) =>
        ArchiverFixture.CreateAsync(servers, Token, idle, messages: messages, configure: s =>
            s with
            {
                Schedule = s.Schedule with { Shards = shards },
                Safety = s.Safety with { MaxShare = maxShare },
            }
        );

    private static Task<RunSummary> RunShardAsync(ArchiverFixture archiver, Shard shard) =>
        new PolicyRunner(
            archiver.Settings,
            archiver.Catalog,
            archiver.Store,
            TimeProvider.System,
            NullLogger<PolicyRunner>.Instance
        ).RunAsync(new RunRequest(archiver.Source, archiver.Policy, Shard: shard), null, Token);
}
