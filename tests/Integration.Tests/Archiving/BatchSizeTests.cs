using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Pipelines;
using Archiver.Core.Settings;
using Archiver.Testing;
using Archiver.Testing.Proof;
using Microsoft.Extensions.Logging.Abstractions;

namespace Archiver.Integration.Tests.Archiving;

/// <summary>The size of batches in a run whose deletes take long (<see cref="AdaptiveBatchSize"/>).</summary>
public sealed class BatchSizeTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_slow_delete_makes_the_next_batches_smaller_and_quick_ones_let_them_grow_again()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 150, young: 1, messages: 1, configure: s =>
            s with
            {
                Batch = s.Batch with { Sessions = 20, InFlight = 1 },
                Storage = s.Storage with { Layout = StorageLayout.Bundle },
            }
        );
        var clock = new SkippingClock();
        InProcessFault.Once(FaultPoints.RowsDeleted, () => clock.SkipAsync(AdaptiveBatchSize.Target * 2));

        var summary = await new PolicyRunner(
            archiver.Settings,
            archiver.Catalog,
            archiver.Store,
            clock,
            NullLogger<PolicyRunner>.Instance
        ).RunAsync(new RunRequest(archiver.Source, archiver.Policy), null, Token);

        Assert.Equal((RunOutcome.Done, 150L), (summary.Outcome, summary.Sessions));
        // One bundle a batch. What was selected before the slow delete had ended keeps its size.
        var sizes = (
            await archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(cardinality(members)::text, ' ' ORDER BY id) FROM archiver.objects"
            )
        )!
            .Split(' ')
            .Select(int.Parse)
            .ToList();
        Assert.Equal(20, sizes[0]);
        var slowed = sizes.IndexOf(10);
        Assert.InRange(slowed, 1, 4);
        var after = sizes[slowed..^1];
        Assert.True(after.Count > 2 && after.SequenceEqual(after.Order()) && after[^1] > 10, $"sizes: {string.Join(' ', sizes)}");
    }

    private sealed class SkippingClock : TimeProvider
    {
        private long _skipped;

        public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref _skipped);

        public Task SkipAsync(TimeSpan time)
        {
            Interlocked.Add(ref _skipped, (long)(time.TotalSeconds * TimestampFrequency));
            return Task.CompletedTask;
        }
    }
}
