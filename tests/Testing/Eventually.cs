using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Archiver.Testing;

/// <summary>Waits on something that only an outside process can bring about and that sends no signal when it has.</summary>
public static class Eventually
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    /// <summary>Longest wait unless told otherwise: generous, since only a failing test ever waits it out.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    /// <summary>Returns as soon as the condition holds.</summary>
    /// <exception cref="TimeoutException">It did not hold before the deadline; the message is its source text.</exception>
    public static async Task TrueAsync(
        Func<Task<bool>> condition,
        CancellationToken cancellationToken,
        TimeSpan? deadline = null,
        [CallerArgumentExpression(nameof(condition))] string what = ""
    )
    {
        var started = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(started) > (deadline ?? Deadline))
                throw new TimeoutException($"Not true within {deadline ?? Deadline}: {what}");
            await Task.Delay(Interval, cancellationToken);
        }
    }

    /// <inheritdoc cref="TrueAsync(Func{Task{bool}}, CancellationToken, TimeSpan?, string)"/>
    public static Task TrueAsync(
        Func<bool> condition,
        CancellationToken cancellationToken,
        TimeSpan? deadline = null,
        [CallerArgumentExpression(nameof(condition))] string what = ""
    ) => TrueAsync(() => Task.FromResult(condition()), cancellationToken, deadline, what);
}
