using System.IO.Compression;
using System.Text.Json;
using Archiver.Core.Diagnostics;
using Archiver.Core.Export;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Archiving;

public sealed class MainJobTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Archives_what_is_idle_and_leaves_the_rest_untouched_to_the_byte()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 2000, young: 2000, messages: 12);
        var db = archiver.Database;
        const string young = "last_activity >= now() - interval '90 days'";
        var youngSessions = await db.CopyOutAsync($"SELECT * FROM chat_sessions WHERE {young} ORDER BY 1");
        var youngMessages = await db.CopyOutAsync(
            $"SELECT m.* FROM chat_messages m JOIN chat_sessions s USING (session_id) WHERE {young} ORDER BY m.id"
        );
        var expected = await ExpectedMessages.ReadAsync(db, "last_activity < now() - interval '90 days'", Token);

        var summary = await archiver.RunAsync(Token);

        Assert.Null(summary.Error);
        Assert.Equal(RunOutcome.Done, summary.Outcome);
        Assert.Equal(2000, summary.Sessions);
        Assert.Equal(youngSessions, await db.CopyOutAsync("SELECT * FROM chat_sessions ORDER BY 1"));
        Assert.Equal(youngMessages, await db.CopyOutAsync("SELECT * FROM chat_messages ORDER BY id"));
        Assert.Equal(2000, await db.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'archived'"));
        Assert.Equal(0, await db.ScalarAsync<long>("SELECT count(*) FROM archiver.objects WHERE state <> 'stored'"));
        Assert.Equal(2000, expected.Count);
        await Parallel.ForEachAsync(expected, Token, async (session, _) => await AssertStoredAsync(archiver, session.Key, session.Value));

        var second = await archiver.RunAsync(Token);
        Assert.Equal((RunOutcome.Done, 0L), (second.Outcome, second.Sessions));
    }

    [Fact]
    public async Task Reads_an_object_back_while_others_of_its_batch_are_still_uploaded()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 6, young: 1, configure: s =>
            s with
            {
                Storage = s.Storage with { UploadConcurrency = 1 },
            }
        );
        var opened = new TaskCompletionSource();
        var puts = 0;
        archiver.Store = new HookedStore(archiver.Store)
        {
            AfterPut = _ => ++puts == 2 ? opened.Task.WaitAsync(TimeSpan.FromSeconds(20), Token) : Task.CompletedTask,
            BeforeOpen = _ =>
            {
                opened.TrySetResult();
                return Task.CompletedTask;
            },
        };

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Done, 6L, null), (summary.Outcome, summary.Sessions, summary.Error));
    }

    private static async Task AssertStoredAsync(ArchiverFixture archiver, string session, ExpectedSession expected)
    {
        var bytes = await archiver.Bucket.GetRawAsync($"chat_archives/{expected.Month}/{session}.json.gz");
        using var gzip = new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress);
        using var document = await JsonDocument.ParseAsync(gzip);
        var root = document.RootElement;
        Assert.Equal("archiver.session/1", root.GetProperty("format").GetString());
        Assert.Equal(session, root.GetProperty("session").GetProperty("session_id").GetString());
        Assert.Equal(
            expected.Messages,
            root.GetProperty("messages")
                .EnumerateArray()
                .Select(m => (m.GetProperty("id").GetInt64(), m.GetProperty("content").GetString()!))
        );
    }

    /// <summary>What it selected by the other columns may be in use by this one.</summary>
    [Fact]
    public async Task A_run_does_not_go_on_without_an_optional_column_that_came_in_its_middle()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 1, young: 0, preset: "last-accessed");
        await archiver.Database.ExecuteAsync("ALTER TABLE sessions DROP COLUMN last_accessed", Token);
        await using var scope = await archiver.BeginAsync(new(archiver.Source, archiver.Policy), Token);
        await archiver.Database.ExecuteAsync("ALTER TABLE sessions ADD COLUMN last_accessed timestamptz", Token);

        var refused = await Assert.ThrowsAsync<ArchiverException>(() => new ExportShape(scope.Context).InspectAsync(Token));

        Assert.Contains("Column \"last_accessed\" of public.sessions came while", refused.Message, StringComparison.Ordinal);
    }
}
