using System.Buffers;

namespace Archiver.Core.Postgres;

/// <summary>
/// Buffers that grow to the longest value met. Small ones are pooled; large ones are not, because the shared pool would keep hundreds of
/// megabytes for a value that comes once a year.
/// </summary>
internal static class LargeBuffer
{
    private const int Pooled = 1 << 20;

    /// <summary>Beyond it garbage is more than the collector is left to find by itself, and growth leaves less room unused.</summary>
    private const int Huge = 8 << 20;

    public static byte[] Rent(int length) =>
        length <= Pooled ? ArrayPool<byte>.Shared.Rent(length) : GC.AllocateUninitializedArray<byte>(length);

    /// <summary>Gives a buffer back, cleared: the pool's next user must not find message text in it.</summary>
    public static void Return(byte[] buffer)
    {
        if (buffer.Length <= Pooled)
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        else if (buffer.Length > Huge)
            GC.Collect();
    }

    /// <summary>
    /// The next size: twice as large while small, half as large again when not, since old and new exist together while one is copied.
    /// </summary>
    public static int Larger(int length) => length < Huge ? length * 2 : (int)Math.Min(Array.MaxLength, length * 3L / 2);
}
