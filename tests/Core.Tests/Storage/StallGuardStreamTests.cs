using Archiver.Core.Spool;
using Archiver.Core.Storage;
using Microsoft.Extensions.Time.Testing;

namespace Archiver.Core.Tests.Storage;

/// <summary>A body keeps its reader no longer than it is worth.</summary>
public sealed class StallGuardStreamTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Ends_a_body_that_brings_a_byte_every_two_seconds_without_end()
    {
        var time = new FakeTimeProvider();
        var began = time.GetTimestamp();
        await using var body = new StallGuardStream(new Trickle(time, TimeSpan.FromSeconds(2), 1), Limit, time);

        var error = await Assert.ThrowsAsync<TimeoutException>(() => ReadAsync(body, time, 2, reads: 1000));

        Assert.Contains("too slowly", error.Message, StringComparison.Ordinal);
        Assert.InRange(time.GetElapsedTime(began), Limit, Limit + TimeSpan.FromSeconds(3));
    }

    [Fact]
    public async Task Lets_a_slow_line_take_its_time()
    {
        var time = new FakeTimeProvider();
        await using var body = new StallGuardStream(
            new Trickle(time, TimeSpan.FromSeconds(20), 20 * StallGuardStream.Slowest),
            Limit,
            time
        );

        await ReadAsync(body, time, 20, reads: 1000);
    }

    [Fact]
    public async Task Counts_no_time_in_which_the_reader_does_something_else()
    {
        var time = new FakeTimeProvider();
        await using var body = new StallGuardStream(new Trickle(time, TimeSpan.FromSeconds(1), 10), Limit, time);
        for (var i = 0; i < 20; i++)
        {
            await ReadAsync(body, time, 1, reads: 1);
            time.Advance(TimeSpan.FromMinutes(5));
        }
    }

    // The clock goes on when the reader waits, not while it begins to.
    private static async Task ReadAsync(StallGuardStream body, FakeTimeProvider time, int seconds, int reads)
    {
        var buffer = new byte[20 * StallGuardStream.Slowest];
        for (var i = 0; i < reads; i++)
        {
            var read = body.ReadAsync(buffer, TestContext.Current.CancellationToken);
            time.Advance(TimeSpan.FromSeconds(seconds));
            Assert.True(await read > 0);
        }
    }

    /// <summary>So many bytes a read, each after a pause.</summary>
    private sealed class Trickle(FakeTimeProvider time, TimeSpan pause, int bytes) : ReadOnlyStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Delay(pause, time, cancellationToken);
            return bytes;
        }
    }
}
