namespace Archiver.Core.Pipelines;

/// <summary>
/// Sessions of the next batch, so that its deleting transaction takes about <see cref="Target"/>: half as many after one that took longer,
/// a twentieth of <c>Batch:Sessions</c> more after one that took less. A slow or busy server gets short transactions without anybody's
/// tuning.
/// </summary>
internal sealed class AdaptiveBatchSize
{
    /// <summary>
    /// Its rows stay locked and its snapshot open as long; a server at ease needs a tenth of that for a thousand sessions.
    /// </summary>
    public static readonly TimeSpan Target = TimeSpan.FromSeconds(1);

    private readonly int _most;
    private int _sessions;

    /// <param name="most"><c>Batch:Sessions</c>: where it begins, and never above.</param>
    public AdaptiveBatchSize(int most) => _most = _sessions = most;

    /// <summary>Bound of the next batch; read by one stage while another reports.</summary>
    public int Sessions => Volatile.Read(ref _sessions);

    /// <summary>A transaction of so many sessions took so long.</summary>
    public void Report(int sessions, TimeSpan took)
    {
        if (took > Target)
            SlowDown(sessions);
        else if (sessions > 0)
            Volatile.Write(ref _sessions, (int)Math.Min(_most, Sessions + Math.Max(1L, _most / 20)));
    }

    /// <summary>Also after a timeout. A single large session says nothing of others: it cannot be smaller than it is.</summary>
    public void SlowDown(int sessions)
    {
        if (sessions > 1)
            Volatile.Write(ref _sessions, Math.Max(1, Math.Min(Sessions, sessions) / 2));
    }
}
