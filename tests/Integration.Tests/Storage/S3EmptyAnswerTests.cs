using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Core.Storage;
using Archiver.Core.Storage.S3;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Storage;

/// <summary>An empty answer is not proof of emptiness: something between the archiver and the store answers 200 in its place.</summary>
public sealed class S3EmptyAnswerTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(StoreFault.HtmlPage, "its root element is 'html' instead of ListBucketResult")]
    [InlineData(StoreFault.NoBody, "it is no XML")]
    [InlineData(StoreFault.OtherBucket, "it does not say that it lists the bucket")]
    public async Task Takes_no_page_of_something_else_for_an_empty_listing(StoreFault fault, string why)
    {
        await using var bucket = await TestBucket.CreateAsync(servers, Token);
        await bucket.PutRawAsync("p/a", [1], Token);
        await using var proxy = new FaultProxy(servers.S3.Endpoint, (_, _) => fault);
        using var store = new S3ArchiveStore(bucket.Settings with { Endpoint = proxy.Endpoint }, TimeProvider.System);

        var listing = await Assert.ThrowsAsync<StorageException>(() => store.ListAsync("p/", Token).CountAsync(Token).AsTask());
        var versions = await Assert.ThrowsAsync<StorageException>(() => store.ListVersionsAsync("p/", Token).CountAsync(Token).AsTask());
        var uploads = await Assert.ThrowsAsync<StorageException>(() =>
            store.AbortUploadsAsync("p/", TimeSpan.Zero, (_, _) => Task.FromResult(true), Token)
        );
        var removal = await store.DeleteAllVersionsAsync([new("p/a")], Token);

        Assert.Contains(why, listing.Message, StringComparison.Ordinal);
        Assert.All([listing, versions, uploads], e => Assert.Equal(StorageFailure.Transient, e.Failure));
        Assert.All([listing, versions, uploads], e =>
            Assert.Contains("A proxy or another service may answer in the store's place.", e.Message, StringComparison.Ordinal)
        );
        Assert.False(removal.IsGone("p/a"));
    }

    [Theory]
    [InlineData(
        "<ListBucketResult><Name>b</Name><Prefix>p/</Prefix><IsTruncated>false</IsTruncated></ListBucketResult>",
        "instead of ListVersionsResult"
    )]
    [InlineData(
        "<ListVersionsResult><Name>b</Name><Prefix>q/</Prefix><IsTruncated>false</IsTruncated></ListVersionsResult>",
        "it does not say that it lists 'p/'"
    )]
    [InlineData(
        "<ListVersionsResult><Name>b</Name><IsTruncated>false</IsTruncated></ListVersionsResult>",
        "it does not say that it lists 'p/'"
    )]
    [InlineData("<ListVersionsResult><Name>b</Name><Prefix>p/</Prefix></ListVersionsResult>", "it does not say whether it is complete")]
    [InlineData("<ListVersionsResult><Name>b</Name><Prefix>p/</Prefix><IsTruncated>false</IsTruncated>", "it is no XML")]
    [InlineData(
        "<ListVersionsResult><Name>b</Name><Prefix>p/</Prefix><IsTruncated>false</IsTruncated><Version><Key>x/1</Key><VersionId>v</VersionId></Version></ListVersionsResult>",
        "holds 'x/1'"
    )]
    [InlineData("<Error><Code>AccessDenied</Code></Error>", "instead of ListVersionsResult")]
    public async Task A_listing_counts_only_with_its_root_its_bucket_and_its_prefix(string body, string why)
    {
        await using var server = new RawHttpServer(RawHttpServer.Answer("200 OK", body, "Content-Type: application/xml"));
        using var store = new S3ArchiveStore(At(server), TimeProvider.System);

        var error = await Assert.ThrowsAsync<StorageException>(() => store.ListVersionsAsync("p/", Token).CountAsync(Token).AsTask());

        Assert.Contains(why, error.Message, StringComparison.Ordinal);
    }

    // The same page again and again, as from a server that does not know the marker; it would be listed, or its uploads ended, without end.
    [Theory]
    [InlineData(
        "uploads",
        "<ListMultipartUploadsResult><Bucket>b</Bucket><Prefix>p/</Prefix><IsTruncated>true</IsTruncated><NextKeyMarker>p/a</NextKeyMarker><NextUploadIdMarker>u</NextUploadIdMarker></ListMultipartUploadsResult>"
    )]
    [InlineData(
        "uploads",
        "<ListMultipartUploadsResult><Bucket>b</Bucket><Prefix>p/</Prefix><IsTruncated>true</IsTruncated></ListMultipartUploadsResult>"
    )]
    [InlineData(
        "versions",
        "<ListVersionsResult><Name>b</Name><Prefix>p/</Prefix><IsTruncated>true</IsTruncated><NextKeyMarker>p/a</NextKeyMarker><NextVersionIdMarker>v</NextVersionIdMarker></ListVersionsResult>"
    )]
    [InlineData(
        "objects",
        "<ListBucketResult><Name>b</Name><Prefix>p/</Prefix><IsTruncated>true</IsTruncated><Contents><Key>p/a</Key><Size>1</Size></Contents></ListBucketResult>"
    )]
    public async Task A_listing_that_does_not_advance_ends(string kind, string body)
    {
        await using var server = new RawHttpServer(RawHttpServer.Answer("200 OK", body, "Content-Type: application/xml"));
        using var store = new S3ArchiveStore(At(server), TimeProvider.System);
        // Else the test would go on as long as the listing.
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(TimeSpan.FromMinutes(1));

        var error = await Assert.ThrowsAsync<StorageException>(() =>
            kind switch
            {
                "uploads" => store.AbortUploadsAsync("p/", TimeSpan.Zero, (_, _) => Task.FromResult(true), patience.Token),
                "versions" => store.ListVersionsAsync("p/", patience.Token).CountAsync(patience.Token).AsTask(),
                _ => store.ListAsync("p/", patience.Token).CountAsync(patience.Token).AsTask(),
            }
        );

        Assert.Equal(StorageFailure.Transient, error.Failure);
        Assert.Contains("does not advance", error.Message, StringComparison.Ordinal);
        Assert.InRange(server.Requests.Count, 1, 2);
    }

    [Fact]
    public async Task Parts_of_an_upload_are_not_gone_where_the_listing_of_uploads_does_not_advance()
    {
        await using var server = new RawHttpServer(
            RawHttpServer.Answer(
                "200 OK",
                "<ListMultipartUploadsResult><Bucket>b</Bucket><Prefix>p/a</Prefix><IsTruncated>true</IsTruncated><NextKeyMarker>p/a</NextKeyMarker></ListMultipartUploadsResult>",
                "Content-Type: application/xml"
            )
        );
        using var bucket = new S3Bucket(At(server), TimeProvider.System);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(TimeSpan.FromMinutes(1));

        var failures = await new S3UploadRemoval(bucket, ["p/a"]).RunAsync(patience.Token);

        Assert.Contains("does not advance", failures["p/a"].Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<html></html>")]
    [InlineData("")]
    public async Task An_answer_that_is_no_lifecycle_configuration_does_not_say_that_there_is_no_rule(string body)
    {
        await using var server = new RawHttpServer(RawHttpServer.Answer("200 OK", body, "Content-Type: application/xml"));
        using var store = new S3ArchiveStore(At(server), TimeProvider.System);

        var error = await Assert.ThrowsAsync<StorageException>(() => store.ListExpiryRulesAsync(Token));

        Assert.Equal(StorageFailure.Transient, error.Failure);
    }

    // The listing is of the right kind, bucket and prefix, and empty: only asking for the object itself tells.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_still_there_by_key_and_version_is_not_gone_whatever_a_listing_says(bool hidden)
    {
        await using var bucket = await TestBucket.CreateAsync(servers, Token, versioned: hidden);
        await using var proxy = new FaultProxy(servers.S3.Endpoint, (_, path) =>
            path.Contains("?versions", StringComparison.Ordinal) ? StoreFault.EmptyListing : StoreFault.None
        );
        using var store = new S3ArchiveStore(bucket.Settings with { Endpoint = proxy.Endpoint }, TimeProvider.System);
        var put = await store.PutIfAbsentAsync("p/a", TestContent.Random(10), TestContent.NewAttempt(), Token);
        if (hidden)
            await bucket.Client.DeleteObjectAsync(bucket.Name, "p/a", Token);

        var outcome = await store.DeleteAllVersionsAsync([new("p/a", put.VersionId)], Token);

        Assert.Contains("can still be read", outcome.Failures["p/a"].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Finds_every_version_of_an_object_also_behind_a_delete_marker()
    {
        await using var bucket = await TestBucket.CreateAsync(servers, Token, versioned: true);
        using var store = new S3ArchiveStore(bucket.Settings, TimeProvider.System);
        var first = await store.PutIfAbsentAsync("p/a", TestContent.Random(10), TestContent.NewAttempt(), Token);
        await bucket.PutRawAsync("p/a", [1, 2], Token);
        await bucket.PutRawAsync("p/a~2", [1], Token);
        await bucket.Client.DeleteObjectAsync(bucket.Name, "p/a", Token);

        var found = await new AllObjects(store).FindAsync(new("p/a", first.VersionId), Token);
        var listed = await store.ListVersionsAsync("p/", Token).ToListAsync(Token);

        Assert.Equal(2, found.Count);
        Assert.Equal(first.VersionId, found[0].VersionId);
        Assert.Equal(["p/a", "p/a~2"], listed.Select(l => l.Key));
        Assert.Equal([true, false, false], listed[0].Versions.Select(v => v.IsDeleteMarker));
        Assert.Equal((true, 2, false), (listed[0].IsHidden, listed[0].Objects.Count(), listed[1].IsHidden));
        await store.DeleteAllVersionsAsync(new ObjectName("p/a"), Token);
        Assert.Empty(await new AllObjects(store).FindAsync(new("p/a", first.VersionId), Token));
    }

    private static StorageSettings At(RawHttpServer server) =>
        new()
        {
            Provider = StorageProvider.S3,
            Endpoint = server.Endpoint,
            Bucket = "b",
            AccessKey = "k",
            SecretKey = "s",
            PathStyle = true,
        };
}
