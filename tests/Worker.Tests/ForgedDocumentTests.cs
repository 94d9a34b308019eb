using System.IO.Compression;
using System.Text;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>An erasure by user believes no document that the ledger did not record where it would cost somebody else a session.</summary>
public sealed class ForgedDocumentTests(TestServers servers) : ErasedChats(servers)
{
    // Anybody who can write to the bucket can write a document, with whatever is kept beside it.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_object_that_the_ledger_does_not_know_costs_no_other_user_a_session(bool live)
    {
        await using var archiver = await ChatsAsync();
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        var key = (await KeysAsync(archiver)).Single(k => k.EndsWith("/3.json.gz", StringComparison.Ordinal));
        if (live)
            Assert.Equal(0, (await archiver.RunAsync("restore", "3")).ExitCode);
        const string forged = "chat_archives/2020/01/forged.json.gz";
        await ForgeAsync(archiver, key, forged);

        var erased = await archiver.RunAsync("erase", "--user", "ann", "--yes");

        Assert.Equal(1, erased.ExitCode);
        Assert.Contains(
            $"not erased: '{forged}', which the ledger does not know, says that session 3 is the user's",
            erased.Output,
            StringComparison.Ordinal
        );
        Assert.Contains("erased 2 sessions", erased.Output, StringComparison.Ordinal);
        Assert.Equal(live ? 1 : 0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chats WHERE owner = 'bob'"));
        Assert.Equal("bob", await archiver.Database.ScalarAsync<string>("SELECT user_id FROM archiver.archives WHERE session_id = '3'"));
        Assert.Equal(0, (await archiver.RunAsync("show", "3")).ExitCode);
        await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, forged, Token);
        Assert.Equal(0, (await archiver.RunAsync("erase", "--user", "ann", "--yes")).ExitCode);
    }

    [Fact]
    public async Task A_document_that_is_not_what_the_ledger_recorded_does_not_say_whose_it_is()
    {
        await using var archiver = await ChatsAsync();
        archiver.With("Sources:main:Tables:Session:User", null);
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        var key = (await KeysAsync(archiver)).Single(k => k.EndsWith("/3.json.gz", StringComparison.Ordinal));
        await ForgeAsync(archiver, key, key);
        await archiver.Database.ExecuteAsync("INSERT INTO chats VALUES (3, NULL, now(), now())");
        archiver.With("Sources:main:Tables:Session:User", "owner");

        var erased = await archiver.RunAsync("erase", "--user", "ann", "--yes");

        Assert.Equal(1, erased.ExitCode);
        Assert.Contains($"not erased: '{key}' is not what the ledger recorded", erased.Output, StringComparison.Ordinal);
        Assert.Contains("erased 2 sessions", erased.Output, StringComparison.Ordinal);
        Assert.Equal(key, Assert.Single(await KeysAsync(archiver)));
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chats"));
    }

    /// <summary>Bob's document as Ann's, under another name or its own.</summary>
    private static async Task ForgeAsync(Installation archiver, string from, string to)
    {
        var (client, bucket) = (archiver.Bucket.Client, archiver.Bucket.Name);
        var metadata = (await client.GetObjectMetadataAsync(bucket, from, Token)).Metadata;
        await using var stored = new GZipStream(
            new MemoryStream(await archiver.Bucket.GetRawAsync(from, Token)),
            CompressionMode.Decompress
        );
        using var reader = new StreamReader(stored);
        using var forged = new MemoryStream();
        await using (var gzip = new GZipStream(forged, CompressionLevel.Optimal, leaveOpen: true))
            await gzip.WriteAsync(
                Encoding.UTF8.GetBytes((await reader.ReadToEndAsync(Token)).Replace("\"bob\"", "\"ann\"", StringComparison.Ordinal)),
                Token
            );
        forged.Position = 0;
        var request = new Amazon.S3.Model.PutObjectRequest
        {
            BucketName = bucket,
            Key = to,
            InputStream = forged,
            UseChunkEncoding = false,
        };
        foreach (var name in metadata.Keys)
            request.Metadata.Add(name, metadata[name]);
        await client.PutObjectAsync(request, Token);
    }

    private static Task<IReadOnlyList<string>> KeysAsync(Installation archiver) => archiver.Bucket.ListKeysAsync("chat_archives/2", Token);
}
