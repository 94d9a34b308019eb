using System.IO.Compression;
using System.Net;
using System.Text.Json;
using Archiver.Testing;

namespace Archiver.Worker.Tests.Http;

/// <summary>A document that is not what was archived is never taken for it by a client, however much of it had gone out.</summary>
public sealed class DamagedDocumentTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false, Damage.Byte)]
    [InlineData(true, Damage.Byte)]
    [InlineData(false, Damage.Hash)]
    [InlineData(true, Damage.Hash)]
    [InlineData(false, Damage.More)]
    [InlineData(true, Damage.More)]
    public async Task Never_sends_a_damaged_document_as_a_whole_one(bool large, Damage damage)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        archiver.With("Http:ApiKey", HttpFixture.Key).With("Sources:main:Policies:idle:Cron", "0 0 2 1 1 ?");
        if (large)
            await archiver.Database.ExecuteAsync(
                "UPDATE chat_messages SET content = (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 30000) AS n)",
                Token
            );
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        var archive = JsonDocument.Parse((await archiver.RunAsync("list", "--json")).Output).RootElement[0];
        var (id, key) = (archive.GetProperty("session_id").GetString(), archive.GetProperty("object").GetString()!);
        var bytes = await archiver.Bucket.GetRawAsync(key, Token);
        if (damage == Damage.Hash)
            // Other bytes of the same length, and a gzip that is in order: only the ledger knows better.
            await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET json_sha256 = sha256('other')", Token);
        else if (damage == Damage.More)
            // Other bytes of the announced length, and more after them, in a place that is as long as the ledger says.
            await PutMoreAsync(archiver, key, bytes);
        else
        {
            bytes[^10] ^= 1;
            await archiver.Bucket.PutRawAsync(key, bytes, Token);
        }
        await using var worker = await RunningWorker.InvokeAsync(archiver, Token);

        await Assert.ThrowsAnyAsync<HttpRequestException>(async () =>
        {
            using var document = await worker.SendAsync(HttpFixture.Bearer(HttpMethod.Get, $"/archives/{id}"), Token);
            document.EnsureSuccessStatusCode();
        });
        using var page = await worker.SendAsync(HttpFixture.Bearer(HttpMethod.Get, $"/transcript?id={id}"), Token);

        Assert.Equal(HttpStatusCode.BadGateway, page.StatusCode);
        Assert.Contains("damaged", await page.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
    }

    private static async Task PutMoreAsync(Installation archiver, string key, byte[] bytes)
    {
        await using var stored = new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress);
        using var json = new MemoryStream();
        await stored.CopyToAsync(json, Token);
        using var forged = new MemoryStream();
        foreach (var length in new[] { json.Length, 100_000 })
        {
            await using var gzip = new GZipStream(forged, CompressionLevel.SmallestSize, leaveOpen: true);
            await gzip.WriteAsync(new byte[length], Token);
        }
        await archiver.Bucket.PutRawAsync(key, forged.ToArray(), Token);
        await archiver.Database.ExecuteAsync($"UPDATE archiver.archives SET byte_length = {forged.Length}", Token);
    }

    public enum Damage
    {
        Byte,
        Hash,
        More,
    }
}
