using Archiver.Core.Selection;
using Archiver.Core.Settings;

namespace Archiver.Core.Export;

/// <summary>
/// Counts an export's rows while they are read, table by table, and says where the batch ends: before the first session that does not fit
/// beside those ahead of it, or that is large itself. To count them before would be to read every row once more.
/// </summary>
/// <param name="sessions">Sessions that are read.</param>
/// <param name="bounds">
/// Null for sessions that stay together whatever they are: a single one, and those whose sizes were known before.
/// </param>
internal sealed class BatchFill(int sessions, BatchSettings? bounds)
{
    private readonly (long Rows, long Bytes)[] _sizes = new (long Rows, long Bytes)[sessions];

    // Of all sessions before _next, in the tables read so far.
    private long _rows,
        _bytes;
    private int _next;

    /// <summary>Position of the first session that is not in the batch; none is when it is 0, and the first must go alone.</summary>
    public int End { get; private set; } = sessions;

    /// <summary>Bytes beyond which a row belongs to a session that goes alone, so that nobody need read it to its end.</summary>
    public long LongestRow => bounds is null ? long.MaxValue : SelectedBatch.Large;

    /// <summary>What was counted of a session.</summary>
    public (long Rows, long Bytes) this[int session] => _sizes[session];

    /// <summary>The rows of a table begin with those of the first session.</summary>
    public void BeginTable() => (_rows, _bytes, _next) = (0, 0, 0);

    /// <summary>Counts a row. False when the batch ends at its session or before: nothing more of the table is needed.</summary>
    public bool Add(int session, int bytes)
    {
        if (!Pass(session))
            return false;
        _sizes[session] = (_sizes[session].Rows + 1, _sizes[session].Bytes + bytes);
        return Fits(session);
    }

    /// <summary>After a table's last row. False when the batch ends at a session that has no rows there.</summary>
    public bool EndTable() => Pass(End);

    /// <summary>
    /// Adds up the sessions before this one; those that it passes may have no rows in this table, and be too many for what the others have
    /// there.
    /// </summary>
    private bool Pass(int session)
    {
        for (; _next < session; _next++)
        {
            if (!Fits(_next))
                return false;
            (_rows, _bytes) = (_rows + _sizes[_next].Rows, _bytes + _sizes[_next].Bytes);
        }
        return true;
    }

    private bool Fits(int session)
    {
        var (rows, bytes) = _sizes[session];
        if (bounds is null || (_rows + rows <= bounds.Rows && _bytes + bytes <= bounds.Bytes && bytes <= SelectedBatch.Large))
            return true;
        End = session;
        return false;
    }
}
