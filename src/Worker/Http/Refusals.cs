using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Archiver.Core.Diagnostics;

namespace Archiver.Worker.Http;

/// <summary>
/// Counts and logs refused requests: from where and why, never what was asked for, because paths hold ids and headers hold guesses of the
/// key. One line per reason in a while, with the number since the last, so that nobody can flood the log.
/// </summary>
internal sealed class Refusals(BatchMeter batches, TimeProvider time, ILogger<Refusals> logger)
{
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, Count> _counts = new(StringComparer.Ordinal);
    private Counter<long>? _refused;

    public void Add(string reason, HttpContext context)
    {
        _refused ??= batches.Meter.CreateCounter<long>(
            "archiver.http.refused",
            null,
            "Requests that were refused, by reason, in this process."
        );
        _refused.Add(1, new KeyValuePair<string, object?>("reason", reason));
        if (_counts.GetOrAdd(reason, _ => new Count()).Due(time) is { } number)
            logger.Refused(reason, context.Connection.RemoteIpAddress, number);
    }

    private sealed class Count
    {
        private readonly Lock _lock = new();
        private long _number;
        private DateTimeOffset _due;

        /// <summary>How many came since the last line, when the next line is due.</summary>
        public long? Due(TimeProvider time)
        {
            lock (_lock)
            {
                _number++;
                var now = time.GetUtcNow();
                if (now < _due)
                    return null;
                var number = _number;
                (_number, _due) = (0, now + Quiet);
                return number;
            }
        }
    }
}
