using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Archiver.Core.Postgres;

/// <summary>Key of the advisory lock that makes a run exclusive: one a source and shard, the same in every worker of every version.</summary>
internal readonly record struct SourceLockKey
{
    private SourceLockKey(long value) => Value = value;

    /// <summary>The 64-bit key as PostgreSQL takes it.</summary>
    public long Value { get; }

    /// <summary>First 8 bytes of SHA-256 over <c>archiver/run/{source}/{shard}</c>: stable across processes, unlike GetHashCode.</summary>
    public static SourceLockKey For(string source, int shard)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"archiver/run/{source}/{shard}");
        return new(BinaryPrimitives.ReadInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text))));
    }
}
