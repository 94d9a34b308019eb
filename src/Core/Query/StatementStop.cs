using DuckDB.NET.Data;

namespace Archiver.Core.Query;

/// <summary>
/// Stops a statement when it is asked to, for as long as this is not disposed. The engine forgets an interrupt that comes before it has
/// begun the statement, and a query went on for minutes after Ctrl-C: so it is told again and again until the statement has returned.
/// </summary>
internal sealed class StatementStop : IDisposable
{
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(100);

    private readonly Timer _telling;
    private readonly CancellationTokenRegistration _asked;

    /// <param name="command">The statement; disposed after this.</param>
    /// <param name="cancellationToken">Asks.</param>
    public StatementStop(DuckDBCommand command, CancellationToken cancellationToken)
    {
        _telling = new(_ => command.Cancel());
        _asked = cancellationToken.Register(() => _telling.Change(TimeSpan.Zero, Again));
    }

    public void Dispose()
    {
        _asked.Dispose();
        // The command must be there for the one that is telling now.
        using var told = new ManualResetEvent(initialState: false);
        if (_telling.Dispose(told))
            told.WaitOne();
    }
}
