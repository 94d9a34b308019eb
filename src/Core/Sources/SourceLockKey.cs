using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Archiver.Core.Sources;

/// <summary>
/// Key of an advisory lock that makes a run exclusive, the same in every worker of every version. Number 0 stands for the source. What
/// needs the whole source (restore, erase, a policy that is not split) takes it alone; a shard's run shares it and takes its shard's alone.
/// </summary>
internal readonly record struct SourceLockKey
{
    private SourceLockKey(long value, bool shared) => (Value, Shared) = (value, shared);

    /// <summary>The 64-bit key as PostgreSQL takes it.</summary>
    public long Value { get; }

    /// <summary>Others may hold it at the same time, if they share it too.</summary>
    public bool Shared { get; }

    /// <summary>What a run of one shard takes, in this order.</summary>
    public static IReadOnlyList<SourceLockKey> ForShard(string source, int number, int count) =>
        count == 1 ? [For(source, shard: 0)] : [new(For(source, shard: 0).Value, shared: true), For(source, number)];

    /// <summary>First 8 bytes of SHA-256 over <c>archiver/run/{source}/{shard}</c>: stable across processes, unlike GetHashCode.</summary>
    public static SourceLockKey For(string source, int shard)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"archiver/run/{source}/{shard}");
        return new(BinaryPrimitives.ReadInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text))), shared: false);
    }
}
