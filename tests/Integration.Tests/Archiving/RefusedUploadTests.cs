using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Archiving;

/// <summary>A store that takes some objects and not others, for their size or anything else: the others go.</summary>
public sealed class RefusedUploadTests(TestServers servers)
{
    private const int Idle = 6;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(StorageLayout.Session, StoreFault.TooLarge, 413)]
    [InlineData(StorageLayout.Session, StoreFault.NotImplemented, 501)]
    [InlineData(StorageLayout.Bundle, StoreFault.TooLarge, 413)]
    public async Task A_session_that_the_store_does_not_take_stays_and_the_others_go(StorageLayout layout, StoreFault fault, int status)
    {
        await using var refusing = await CreateAsync(layout);
        var archiver = refusing.Archiver;
        var session = await archiver.AnyIdleAsync(Token);
        if (fault == StoreFault.TooLarge)
            await GrowAsync(archiver, $"session_id = '{session}'", 500_000);
        else
            refusing.Rule = (m, path) => m == "PUT" && path.Contains(session, StringComparison.Ordinal) ? fault : StoreFault.None;
        refusing.Proxy.LongestBody = 200_000;
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Partial, null, Idle - 1L, 1L), (summary.Outcome, summary.Error, summary.Sessions, summary.Failed));
        Assert.Equal(1, summary.Reasons[$"refused by the store ({status})"]);
        Assert.Equal(
            $"{session} refused by the store ({status})",
            await archiver.Database.ScalarAsync<string>("SELECT session_id || ' ' || reason FROM archiver.quarantine")
        );
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
        // Its turn comes after the back-off; until then it is nobody's trouble.
        Assert.Equal((RunOutcome.Done, 0L), await OutcomeAsync(archiver));
        refusing.Proxy.LongestBody = int.MaxValue;
        refusing.Rule = (_, _) => StoreFault.None;
        await archiver.ExecuteAsync("DELETE FROM archiver.quarantine", null);
        Assert.Equal((RunOutcome.Done, 1L), await OutcomeAsync(archiver));
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }

    [Fact]
    public async Task A_bundle_that_is_too_large_for_the_store_is_divided()
    {
        await using var refusing = await CreateAsync(StorageLayout.Bundle);
        var archiver = refusing.Archiver;
        await GrowAsync(archiver, "true", 60_000);
        refusing.Proxy.LongestBody = 150_000;
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Done, null, (long)Idle), (summary.Outcome, summary.Error, summary.Sessions));
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }

    [Fact]
    public async Task A_store_that_takes_no_upload_by_parts_keeps_back_large_sessions_alone()
    {
        await using var refusing = await CreateAsync(StorageLayout.Session);
        var archiver = refusing.Archiver;
        var session = await archiver.AnyIdleAsync(Token);
        await GrowAsync(archiver, $"session_id = '{session}'", 18_000_000);
        refusing.Rule = (_, path) => path.Contains("uploads", StringComparison.Ordinal) ? StoreFault.NotImplemented : StoreFault.None;

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Partial, null, Idle - 1L, 1L), (summary.Outcome, summary.Error, summary.Sessions, summary.Failed));
        Assert.Equal(1, summary.Reasons["refused by the store (501)"]);
    }

    private static async Task<(RunOutcome Outcome, long Sessions)> OutcomeAsync(ArchiverFixture archiver)
    {
        var summary = await archiver.RunAsync(Token);
        return (summary.Outcome, summary.Sessions);
    }

    /// <summary>Makes some sessions' documents at least so many bytes of gzip long: hashes hardly shrink.</summary>
    private static Task GrowAsync(ArchiverFixture archiver, string which, int bytes) =>
        archiver.ExecuteAsync(
            $"""
            INSERT INTO chat_messages (session_id, role, content, timestamp)
            SELECT s.session_id, 'user',
              (SELECT string_agg(encode(sha256(convert_to(s.session_id || '/' || n || '/' || i, 'UTF8')), 'base64'), '')
              FROM generate_series(1, 500) AS i), now() - interval '200 days'
            FROM chat_sessions AS s, generate_series(1, {(bytes / 16_000) + 1}) AS n
            WHERE {which}
            """,
            null
        );

    private async Task<Refusing> CreateAsync(StorageLayout layout)
    {
        Refusing refusing = new();
        refusing.Archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1, configure: s =>
        {
            refusing.Proxy = new FaultProxy(s.Storage.Endpoint!, (method, path) => refusing.Rule(method, path));
            return s with { Storage = s.Storage with { Endpoint = refusing.Proxy.Endpoint, Layout = layout } };
        });
        return refusing;
    }

    /// <summary>An installation whose worker reaches its store through a proxy that refuses some objects.</summary>
    private sealed class Refusing : IAsyncDisposable
    {
        public ArchiverFixture Archiver { get; set; } = null!;

        public FaultProxy Proxy { get; set; } = null!;

        public Func<string, string, StoreFault> Rule { get; set; } = (_, _) => StoreFault.None;

        public async ValueTask DisposeAsync()
        {
            await Archiver.DisposeAsync();
            await Proxy.DisposeAsync();
        }
    }
}
