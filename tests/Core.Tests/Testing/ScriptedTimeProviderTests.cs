using Archiver.Testing;

namespace Archiver.Core.Tests.Testing;

public sealed class ScriptedTimeProviderTests
{
    private readonly ScriptedTimeProvider clock = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Moves_only_when_told()
    {
        var (time, stamp) = (clock.GetUtcNow(), clock.GetTimestamp());

        clock.Advance(TimeSpan.FromMinutes(90));

        Assert.Equal(time.AddMinutes(90), clock.GetUtcNow());
        Assert.Equal(TimeSpan.FromMinutes(90), clock.GetElapsedTime(stamp));
    }

    [Fact]
    public async Task Ends_a_delay_at_its_time_and_not_before()
    {
        var delay = Task.Delay(TimeSpan.FromSeconds(10), clock, Token);
        Assert.Equal(TimeSpan.FromSeconds(10), clock.NextTimer);

        clock.Advance(TimeSpan.FromSeconds(9.999));
        Assert.False(delay.IsCompleted);
        clock.Advance(TimeSpan.FromMilliseconds(1));

        await delay;
        Assert.Null(clock.NextTimer);
    }

    [Fact]
    public void Fires_timers_in_the_order_they_are_due_each_at_its_own_time()
    {
        List<string> fired = [];
        var start = clock.GetUtcNow();
        using var late = Timer("late", 3, period: null);
        using var every = Timer("every", 2, period: 2);
        using var stopped = Timer("stopped", 1, period: null);
        stopped.Dispose();

        clock.Advance(TimeSpan.FromSeconds(4));

        Assert.Equal(["every 2", "late 3", "every 4"], fired);

        ITimer Timer(string name, int due, int? period) => clock.CreateTimer(
            _ => fired.Add($"{name} {(clock.GetUtcNow() - start).TotalSeconds}"),
            state: null,
            TimeSpan.FromSeconds(due),
            period is { } seconds ? TimeSpan.FromSeconds(seconds) : Timeout.InfiniteTimeSpan);
    }

    [Fact]
    public async Task Tells_when_something_waits_on_it()
    {
        var waiting = clock.WaitForTimerAsync(Token);
        Assert.False(waiting.IsCompleted);

        using var source = new CancellationTokenSource(TimeSpan.FromSeconds(5), clock);

        Assert.Equal(TimeSpan.FromSeconds(5), await waiting);
        clock.Advance(await waiting);
        Assert.True(source.IsCancellationRequested);
    }
}
