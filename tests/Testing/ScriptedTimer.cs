namespace Archiver.Testing;

/// <summary>A timer of <see cref="ScriptedTimeProvider"/>, which guards <see cref="Due"/> and <see cref="Period"/>.</summary>
internal sealed class ScriptedTimer(ScriptedTimeProvider clock, TimerCallback callback, object? state) : ITimer
{
    public DateTimeOffset Due { get; set; }

    public TimeSpan Period { get; set; }

    public void Fire() => callback(state);

    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        clock.Schedule(this, dueTime, period);
        return true;
    }

    public void Dispose() => clock.Schedule(this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }
}
