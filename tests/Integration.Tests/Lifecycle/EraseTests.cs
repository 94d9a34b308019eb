using Archiver.Core.Diagnostics;
using Archiver.Core.Erasure;
using Archiver.Core.Reconciliation;
using Archiver.Integration.Tests.Restore;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>
/// What is erased is nowhere any more and does not come back; what cannot be erased is said, and nothing else is touched.
/// </summary>
public sealed class EraseTests(TestServers servers) : ErasureScenario(servers)
{
    [Theory]
    [InlineData("session")]
    [InlineData("bundle")]
    [InlineData("folder")]
    public async Task A_user_is_erased_everywhere_and_nobody_else_is_touched(string where)
    {
        using var folder = new TemporaryFolder();
        await using var archiver = await ArchivedAsync(where, folder);
        var forgotten = await SessionsOfUserAsync(archiver);
        await archiver.Database.ExecuteAsync(
            "INSERT INTO archiver.quarantine (source, session_id, reason, attempts, run_id) VALUES "
                + $"('main', '{forgotten[0]}', 'object differs', 1, gen_random_uuid()); UPDATE archiver.runs SET error = 'Object of "
                + $"session {forgotten[0]} is missing'; INSERT INTO archiver.proofs (source, proof, state, worker, error) VALUES ('main', "
                + $"'verify', 'failed', 'w', 'chat_archives/2020/01/{forgotten[0]}.json.gz cannot be read')",
            Token
        );
        var others = await OthersAsync(archiver);
        Assert.Contains(forgotten[0], await EverythingAsync(archiver, folder), StringComparison.Ordinal);

        var plan = await archiver.PlanEraseAsync(new() { User = User }, Token);
        var receipt = await archiver.EraseAsync(new() { User = User }, Token);

        Assert.Equal((null, RunOutcome.Done, true, 0), (receipt.Error, receipt.Outcome, receipt.Complete, receipt.ExitCode));
        Assert.Equal(forgotten, receipt.Sessions.Select(s => s.SessionId));
        // One live session with two messages, two archives; a bundle is written again, objects of one session go as they are.
        Assert.Equal(
            (3L, 2L, where == "bundle" ? 1L : 2L, where == "bundle" ? 1L : 0L, 1L),
            (receipt.Rows, receipt.Archives, receipt.Objects, receipt.Bundles, receipt.Manifests)
        );
        Assert.Equal(
            (plan.Rows, plan.Archives, plan.Objects, plan.Bundles),
            (receipt.Rows, receipt.Archives, receipt.Objects, receipt.Bundles)
        );
        var left = await EverythingAsync(archiver, folder);
        Assert.All(forgotten.Append(User), id => Assert.DoesNotContain(id, left, StringComparison.Ordinal));
        Assert.Equal(others, await OthersAsync(archiver));
        Assert.Equal(
            "3",
            await archiver.Database.ScalarAsync<string>(
                "SELECT sum((counts ->> 'rows')::int)::text FROM archiver.audit WHERE action = 'erase' AND who = 'test'"
            )
        );

        var again = await archiver.EraseAsync(new() { User = User }, Token);
        Assert.Equal((0, 0, true), (again.Sessions.Count, again.ExitCode, again.Complete));
        Assert.Equal([forgotten[0]], (await archiver.EraseAsync(new() { Ids = [forgotten[0]] }, Token)).ErasedBefore);
        Assert.Equal(
            (RunOutcome.Done, 4L),
            (
                (await archiver.RestoreAsync(RestoreFixture.Everything, Token)).Outcome,
                (await archiver.RestoreAsync(RestoreFixture.Everything, Token)).AlreadyThere
            )
        );
        Assert.True(
            (
                await new Reconciler(archiver.Settings, archiver.Catalog, archiver.Store, TimeProvider.System).RunAsync(
                    "main",
                    fix: false,
                    "test",
                    Token
                )
            ).IsClean
        );
        Assert.Equal(0, (await archiver.RunAsync(Token)).ExitCode);
    }

    [Fact]
    public async Task Erases_none_and_says_so_and_erases_all()
    {
        await using var archiver = await ArchivedAsync("session", null);
        var before = await EverythingAsync(archiver, null);

        var none = await archiver.EraseAsync(new() { Ids = ["no-such-session"] }, Token);
        Assert.Equal((1, "no-such-session", false), (none.ExitCode, Assert.Single(none.Unknown), none.Complete));
        var nobody = await archiver.EraseAsync(new() { User = "nobody" }, Token);
        Assert.Equal((1, "nobody", false, true), (nobody.ExitCode, Assert.Single(nobody.Unknown), nobody.Complete, nobody.NoMatch));
        Assert.Equal(Lines(before), Lines(await EverythingAsync(archiver, null)));

        var all = (
            await archiver.Database.CopyOutAsync(
                "SELECT session_id FROM archiver.archives UNION SELECT session_id::text FROM chat_sessions"
            )
        )
            .TrimEnd()
            .Split('\n');
        var receipt = await archiver.EraseAsync(new() { Ids = [.. all.Select(a => a.ToUpperInvariant())] }, Token);
        Assert.Equal((8, true, 6L, 6L), (receipt.Sessions.Count, receipt.Complete, receipt.Archives, receipt.Objects));
        Assert.Equal(
            0,
            await archiver.Database.ScalarAsync<long>("SELECT (SELECT count(*) FROM chat_sessions) + (SELECT count(*) FROM chat_messages)")
        );
        Assert.Empty(await archiver.Bucket.ListKeysAsync("chat_archives/2", Token));
        Assert.Empty(await archiver.Bucket.ListKeysAsync("chat_archives/.archiver/manifests/", Token));
    }

    // With a pattern an id and a run in SQL this took minutes.
    [Fact]
    public async Task Thousands_of_sessions_and_long_errors_of_runs_take_seconds()
    {
        await using var archiver = await ArchivedAsync("session", null);
        await archiver.Database.ExecuteAsync(
            """
            INSERT INTO archiver.runs (id, source, policy, action, state, worker, error)
            SELECT gen_random_uuid(), 'main', 'idle', 'archive', 'failed', 'w',
              string_agg('session ' || gen_random_uuid() || ' is missing', ', ')
            FROM generate_series(1, 200) AS r, generate_series(1, 500) GROUP BY r;
            UPDATE archiver.runs SET error = error || ', session 00000000-0000-0000-0000-000000000007' WHERE policy = 'idle'
              AND worker = 'w'
            """,
            Token
        );
        await using var connection = await archiver.Connections.OpenAsync(Token);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(TimeSpan.FromMinutes(2));

        await EraseLedger.RestAsync(
            connection,
            "main",
            [.. Enumerable.Range(1, 3000).Select(n => $"00000000-0000-0000-0000-{n:D12}")],
            null,
            null,
            patience.Token
        );

        Assert.Equal(
            200,
            await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.runs WHERE error LIKE '%, session (erased)'")
        );
    }

    private static async Task<string> OthersAsync(ArchiverFixture archiver)
    {
        var text = await archiver.Database.CopyOutAsync(
            "SELECT s.*, s.xmin, m.*, m.xmin FROM chat_sessions s JOIN chat_messages m USING "
                + $"(session_id) WHERE s.user_id <> '{User}' ORDER BY m.id"
        );
        foreach (
            var session in (
                await archiver.Database.CopyOutAsync($"SELECT session_id FROM archiver.archives WHERE user_id <> '{User}' ORDER BY 1")
            )
                .TrimEnd()
                .Split('\n')
        )
            text += await ShowAsync(archiver, session);
        return text;
    }

    // Without what every run adds.
    private static IEnumerable<string> Lines(string everything) =>
        everything.Split('\n').Where(l => !l.Contains("\terase\t", StringComparison.Ordinal)).Order(StringComparer.Ordinal);
}
