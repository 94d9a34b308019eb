using System.Security.Cryptography;
using Archiver.Core.Spool;
using Archiver.Core.Storage;
using Archiver.Core.Storage.S3;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Storage;

/// <summary>Counts what the whole process allocates, so nothing may run beside it.</summary>
[CollectionDefinition(nameof(S3MemoryTests), DisableParallelization = true)]
[Collection(nameof(S3MemoryTests))]
public sealed class S3MemoryTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Stores_a_large_object_in_parts_with_little_memory()
    {
        await using var bucket = await TestBucket.CreateAsync(servers, Token);
        using var store = new S3ArchiveStore(bucket.Settings, TimeProvider.System);
        using var spool = new SpoolingStream(memoryLimit: 1 << 20);
        var block = TestContent.Random(1 << 20).Bytes;
        for (var i = 0; i < 40; i++)
        {
            block[0] = (byte)i;
            await spool.WriteAsync(block, Token);
        }
        await spool.WriteAsync(block.AsMemory(0, 12_345), Token);
        await using var content = spool.Complete();
        var before = GC.GetTotalAllocatedBytes();

        var put = await store.PutIfAbsentAsync("big", content, TestContent.NewAttempt(), Token);

        var allocated = GC.GetTotalAllocatedBytes() - before;
        Assert.True(put.Stored);
        var stored = await TestContent.ReadAsync(await store.OpenAsync(new ObjectName("big"), Token), Token);
        Assert.Equal(content.Sha256.ToArray(), SHA256.HashData(stored));
        Assert.EndsWith("-6\"", (await bucket.Client.GetObjectMetadataAsync(bucket.Name, "big", Token)).ETag, StringComparison.Ordinal);
        Assert.True(allocated < 24L << 20, $"allocated {allocated} bytes for 40 MiB");
    }
}
