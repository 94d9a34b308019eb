namespace Archiver.Core.Documents;

/// <summary>
/// Lets one reader at a time hold a row that is large: documents are read many at once, and the memory for the longest value there is must
/// not be needed once for each of them.
/// </summary>
internal static class LargeRowGate
{
    /// <summary>A row up to this many bytes is held by whoever reads one.</summary>
    public const int Bytes = 8 << 20;

    private static readonly SemaphoreSlim One = new(1);

    /// <summary>
    /// Waits for the one who is inside; leaves when disposed. Nobody inside waits for anything but the store or the server.
    /// </summary>
    public static async ValueTask<IDisposable> EnterAsync(CancellationToken cancellationToken)
    {
        await One.WaitAsync(cancellationToken);
        return new Inside();
    }

    private sealed class Inside : IDisposable
    {
        private bool _left;

        public void Dispose()
        {
            if (!_left)
                One.Release();
            _left = true;
        }
    }
}
