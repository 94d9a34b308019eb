using System.Collections.Concurrent;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Pipelines;
using Archiver.Integration.Tests.Sources;
using Archiver.Testing;
using Archiver.Testing.Proof;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace Archiver.Integration.Tests.Archiving;

/// <summary>
/// What a run leaves to others: rests in proportion to its own work, and no batch while the server is busy with more of them than it may
/// be.
/// </summary>
public sealed class CourtesyTests(TestServers servers)
{
    private static readonly TimeSpan Slow = TimeSpan.FromHours(1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rests_after_a_batch_in_proportion_to_the_time_that_it_took()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 1, messages: 1, configure: s =>
            s with
            {
                Batch = s.Batch with { Pause = new(TimeSpan.Zero, 0.5) },
            }
        );
        var clock = new RestlessClock();
        InProcessFault.Once(FaultPoints.RowsDeleted, () => clock.SkipAsync(Slow));

        var summary = await new PolicyRunner(
            archiver.Settings,
            archiver.Catalog,
            archiver.Store,
            clock,
            NullLogger<PolicyRunner>.Instance
        ).RunAsync(new RunRequest(archiver.Source, archiver.Policy), null, Token);

        Assert.Equal((RunOutcome.Done, 3L), (summary.Outcome, summary.Sessions));
        Assert.InRange(Assert.Single(clock.Rests), Slow * 0.5, (Slow * 0.5) + TimeSpan.FromMinutes(5));
    }

    [Fact]
    public async Task Takes_no_batch_while_the_server_is_at_work_for_more_clients_than_it_may_be()
    {
        // Its own: on the shared server others are at work.
        await using var server = await PostgresServer.StartAsync(Token);
        await using var archiver = await ArchiverFixture.CreateAsync(
            servers,
            Token,
            idle: 3,
            young: 1,
            messages: 1,
            server: server.ConnectionString,
            configure: s => s with { Batch = s.Batch with { MaxActive = 1 }, Retry = s.Retry with { Budget = TimeSpan.FromSeconds(30) } }
        );
        await using var scope = await archiver.BeginAsync(new(archiver.Source, archiver.Policy), Token);
        var time = new FakeTimeProvider();
        var limits = new RunLimits(scope.Context, archiver.Settings.Retry, time, archiver.Events);
        await using var holder = await archiver.Database.DataSource.OpenConnectionAsync(Token);
        await Run(holder, "SELECT pg_advisory_lock(4711)");
        await using var one = await BusyAsync(archiver);

        Assert.Null(await limits.ReachedAsync(Token));

        await using var other = await BusyAsync(archiver);
        var reached = limits.ReachedAsync(Token);
        await Eventually.TrueAsync(() => Task.FromResult(archiver.Events.Has(1020)), Token);
        Assert.False(reached.IsCompleted);
        await other.DisposeAsync();
        Assert.Null(await AdvanceUntilAsync(reached, time));

        await using var third = await BusyAsync(archiver);
        Assert.Equal(
            "the server has been at work for more than 1 other clients (Batch:MaxActive) for 30s",
            await AdvanceUntilAsync(limits.ReachedAsync(Token), time)
        );
    }

    [Fact]
    public async Task Refuses_a_limit_that_the_role_cannot_see_reached()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 1, young: 1, messages: 1);
        await using var connection = await archiver.Database.DataSource.OpenConnectionAsync(Token);
        await using var role = await TestRole.CreateAsync(servers, Token);
        await Run(connection, $"SET ROLE {role.Name}");

        var refused = await Assert.ThrowsAsync<ArchiverException>(() => Core.Postgres.ActiveBackends.CountAsync(connection, Token));

        Assert.Equal(FailureKind.Refused, refused.Kind);
        Assert.Contains("GRANT pg_read_all_stats", refused.Message, StringComparison.Ordinal);
    }

    private static async Task<string?> AdvanceUntilAsync(Task<string?> reached, FakeTimeProvider time)
    {
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return Task.FromResult(reached.IsCompleted);
            },
            Token
        );
        return await reached;
    }

    /// <summary>A client that waits for a lock is one that the server is at work for.</summary>
    private static async Task<Client> BusyAsync(ArchiverFixture archiver)
    {
        var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(archiver.Database.ConnectionString)
            {
                ApplicationName = "app",
                Pooling = false,
            }.ConnectionString
        );
        await connection.OpenAsync(Token);
        var waiting = Run(connection, "SELECT pg_advisory_lock(4711)");
        await Eventually.TrueAsync(
            async () =>
                await archiver.Database.ScalarAsync<bool>(
                    $"SELECT state = 'active' AND wait_event = 'advisory' FROM pg_stat_activity WHERE pid = {connection.ProcessID}",
                    Token
                ),
            Token
        );
        return new(archiver.Database, connection, waiting);
    }

    private static async Task Run(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(Token);
    }

    private sealed class Client(TestDatabase database, NpgsqlConnection connection, Task waiting) : IAsyncDisposable
    {
        private bool _ended;

        public async ValueTask DisposeAsync()
        {
            if (_ended)
                return;
            _ended = true;
            await database.ExecuteAsync($"SELECT pg_terminate_backend({connection.ProcessID}, 10000)", CancellationToken.None);
            await Assert.ThrowsAnyAsync<NpgsqlException>(() => waiting);
            await connection.DisposeAsync();
        }
    }

    /// <summary>Time can be skipped, and long rests are over at once.</summary>
    private sealed class RestlessClock : TimeProvider
    {
        private readonly ConcurrentQueue<TimeSpan> _rests = new();
        private long _skipped;

        public IReadOnlyCollection<TimeSpan> Rests => _rests;

        public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref _skipped);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime < Slow / 4)
                return base.CreateTimer(callback, state, dueTime, period);
            _rests.Enqueue(dueTime);
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }

        public Task SkipAsync(TimeSpan time)
        {
            Interlocked.Add(ref _skipped, (long)(time.TotalSeconds * TimestampFrequency));
            return Task.CompletedTask;
        }
    }
}
