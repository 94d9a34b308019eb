using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Core.Status;
using Archiver.Worker.Access;

namespace Archiver.Worker.Metrics;

/// <summary>
/// The last known status of every source, shared by metrics and page. Reading counts the backlog, so it is done by one caller at a time and
/// not more often than the database deserves: however many scrape, and however slow counting has become.
/// </summary>
internal sealed class StatusBoard(ArchiverSettings settings, StatusReader reader, SourceErrors errors, TimeProvider time) : IDisposable
{
    /// <summary>
    /// A status that took long to read is kept for this many times as long: at most a twentieth of the time goes into counting.
    /// </summary>
    private const int RestFactor = 20;

    private readonly SemaphoreSlim _turn = new(1);
    private volatile BoardEntry[] _latest = [];
    private DateTimeOffset _due;

    /// <summary>What was read last; empty before the first time.</summary>
    public IReadOnlyList<BoardEntry> Latest => _latest;

    /// <summary>
    /// A status not older than <paramref name="maxAge"/>, unless reading it takes long; with zero it is read in any case, to see what was
    /// just done.
    /// </summary>
    public async Task<IReadOnlyList<BoardEntry>> ReadAsync(TimeSpan maxAge, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var now = time.GetUtcNow();
            if (_latest.Length > 0 && maxAge > TimeSpan.Zero && (now < _due || now - _latest[0].ReadAt < maxAge))
                return _latest;
            var started = time.GetTimestamp();
            _latest = await Task.WhenAll(settings.Sources.Select(s => ReadAsync(s, cancellationToken)));
            _due = time.GetUtcNow() + time.GetElapsedTime(started) * RestFactor;
            return _latest;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    private async Task<BoardEntry> ReadAsync(SourceSettings source, CancellationToken cancellationToken)
    {
        try
        {
            var status = await errors.ExplainAsync(source, () => reader.ReadAsync(source, cancellationToken));
            return new(source, status, null, time.GetUtcNow());
        }
        catch (ArchiverException exception)
        {
            // A source that is down is an entry of the board, not its end: the others have theirs.
            return new(source, null, exception.Message, time.GetUtcNow());
        }
    }
}
