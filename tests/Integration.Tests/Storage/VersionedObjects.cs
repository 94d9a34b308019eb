using Archiver.Core.Storage;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Storage;

/// <summary>A bucket with versions of objects to be removed.</summary>
public abstract class VersionedObjects(TestServers servers)
{
    private protected TestServers Servers { get; } = servers;

    private protected static readonly string[] Keys = ["p/a", "p/b", "p/c"];

    private protected static ObjectName[] Names => [.. Keys.Select(k => new ObjectName(k))];

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Three keys with versions and a delete marker, and a neighbour that must stay.</summary>
    private protected async Task<TestBucket> VersionedAsync()
    {
        var bucket = await TestBucket.CreateAsync(Servers, Token, versioned: true);
        foreach (var key in Keys.Append("p/a~2").Concat(Keys))
            await bucket.PutRawAsync(key, [1], Token);
        await bucket.Client.DeleteObjectAsync(bucket.Name, "p/c", Token);
        return bucket;
    }

    private protected static async Task<IReadOnlyList<string>> LeftAsync(TestBucket bucket) =>
        [.. ((await bucket.Client.ListVersionsAsync(bucket.Name, Token)).Versions ?? []).Select(v => v.Key)];
}
