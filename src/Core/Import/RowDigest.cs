using System.Buffers.Binary;

namespace Archiver.Core.Import;

/// <summary>
/// Number of rows and sum of their hashes: equal on both sides when the same rows are there, in whatever order. A row is its COPY text, so
/// equal means equal to the byte.
/// </summary>
internal readonly record struct RowDigest(long Rows, UInt128 Sum)
{
    /// <summary>With one more row.</summary>
    /// <param name="hash">SHA-256 of its fields as COPY text, tabs between them.</param>
    public RowDigest Add(ReadOnlySpan<byte> hash) => new(Rows + 1, unchecked(Sum + BinaryPrimitives.ReadUInt128LittleEndian(hash)));
}
