using Amazon.S3.Model;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>A bucket whose objects are copied to another.</summary>
internal static class BucketCopy
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    internal static async Task CopyAsync(TestBucket from, TestBucket to, string? without = null)
    {
        foreach (var key in await from.ListKeysAsync(cancellationToken: Token))
        {
            if (without is null || !key.Contains(without, StringComparison.Ordinal))
                await to.Client.CopyObjectAsync(
                    new CopyObjectRequest
                    {
                        SourceBucket = from.Name,
                        SourceKey = key,
                        DestinationBucket = to.Name,
                        DestinationKey = key,
                    },
                    Token
                );
        }
    }
}
