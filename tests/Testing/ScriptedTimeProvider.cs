namespace Archiver.Testing;

/// <summary>A clock that moves only when the test says so. Timers fire inside <see cref="Advance"/>, in the order they are due.</summary>
public sealed class ScriptedTimeProvider(DateTimeOffset start) : TimeProvider
{
    private readonly Lock gate = new();
    private readonly List<ScriptedTimer> timers = [];
    private DateTimeOffset now = start.ToUniversalTime();
    private TaskCompletionSource timerAdded = NewSignal();

    /// <summary>Starts at an arbitrary, ordinary time.</summary>
    public ScriptedTimeProvider()
        : this(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero))
    {
    }

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>How long until the next timer is due; null where nothing waits.</summary>
    public TimeSpan? NextTimer
    {
        get
        {
            lock (gate)
                return FirstTimer() is { } timer ? timer.Due - now : null;
        }
    }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        lock (gate)
            return now;
    }

    /// <inheritdoc/>
    public override long GetTimestamp() => (GetUtcNow() - start).Ticks;

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ScriptedTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Moves the clock on and fires what falls due on the way, each at its own time.</summary>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        var end = GetUtcNow() + by;
        while (TakeDue(end) is { } timer)
            timer.Fire();
        lock (gate)
            now = end;
    }

    /// <summary>Waits until something waits on this clock, so that an <see cref="Advance"/> cannot come too early; returns how long until it is due.</summary>
    public async Task<TimeSpan> WaitForTimerAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task added;
            lock (gate)
            {
                if (FirstTimer() is { } timer)
                    return timer.Due - now;
                added = timerAdded.Task;
            }
            await added.WaitAsync(cancellationToken);
        }
    }

    internal void Schedule(ScriptedTimer timer, TimeSpan dueIn, TimeSpan period)
    {
        lock (gate)
        {
            timers.Remove(timer);
            if (dueIn == Timeout.InfiniteTimeSpan)
                return;
            (timer.Due, timer.Period) = (now + dueIn, period);
            timers.Add(timer);
            timerAdded.TrySetResult();
            timerAdded = NewSignal();
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ScriptedTimer? FirstTimer() => timers.MinBy(timer => timer.Due);

    private ScriptedTimer? TakeDue(DateTimeOffset end)
    {
        lock (gate)
        {
            if (FirstTimer() is not { } timer || timer.Due > end)
                return null;
            now = timer.Due > now ? timer.Due : now;
            timers.Remove(timer);
            if (timer.Period > TimeSpan.Zero)
            {
                timer.Due += timer.Period;
                timers.Add(timer);
            }
            return timer;
        }
    }
}
