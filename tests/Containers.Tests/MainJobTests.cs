using System.IO.Compression;
using System.Text.Json;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Testing;

[assembly: AssemblyFixture(typeof(Archiver.Containers.Tests.ContainerServers))]

namespace Archiver.Containers.Tests;

/// <summary>
/// The main job on PostgreSQL 17 and an S3 server, in containers. tests/Integration.Tests has everything else, on PostgreSQL 15 and Ceph.
/// </summary>
public sealed class MainJobTests(ContainerServers containers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Archives_what_is_idle_and_leaves_the_rest_untouched_to_the_byte()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(containers.Servers, Token, idle: 300, young: 200, messages: 12);
        var db = archiver.Database;
        var young = await db.CopyOutAsync(
            "SELECT * FROM chat_sessions WHERE last_activity >= now() - interval '90 days' ORDER BY 1",
            Token
        );
        var messages = await db.CopyOutAsync(
            "SELECT m.* FROM chat_messages m JOIN chat_sessions s USING (session_id) WHERE s.last_activity >= now() - interval '90 days' "
                + "ORDER BY m.id",
            Token
        );
        var session = await archiver.AnyIdleAsync(Token);

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((null, RunOutcome.Done, 300L), (summary.Error, summary.Outcome, summary.Sessions));
        Assert.Equal(young, await db.CopyOutAsync("SELECT * FROM chat_sessions ORDER BY 1", Token));
        Assert.Equal(messages, await db.CopyOutAsync("SELECT * FROM chat_messages ORDER BY id", Token));
        Assert.Equal(12, await CountMessagesAsync(archiver, session));
        Assert.Equal((RunOutcome.Done, 0L), await archiver.RunAsync(Token) is { } second ? (second.Outcome, second.Sessions) : default);
    }

    private static async Task<int> CountMessagesAsync(ArchiverFixture archiver, string session)
    {
        var key = await archiver.Database.ScalarAsync<string>(
            $"SELECT a.key FROM archiver.archived_sessions AS a WHERE a.session_id = '{session}'",
            Token
        );
        using var gzip = new GZipStream(new MemoryStream(await archiver.Bucket.GetRawAsync(key!)), CompressionMode.Decompress);
        using var document = await JsonDocument.ParseAsync(gzip, cancellationToken: Token);
        return document.RootElement.GetProperty("messages").GetArrayLength();
    }
}
