using Archiver.Core.Bucket;
using Archiver.Core.Diagnostics;
using Archiver.Core.Holds;
using Archiver.Integration.Tests.Restore;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>What comes under a hold while it is erased stays, and stays readable.</summary>
public sealed class EraseHoldTests(TestServers servers) : ErasureScenario(servers)
{
    // The tombstones are written by then; what they cover nobody can read, and an erasure applied again would destroy it.
    [Theory]
    [InlineData("session")]
    [InlineData("bundle")]
    public async Task A_session_that_comes_under_a_hold_meanwhile_stays_as_it_is_and_can_be_read(string where)
    {
        await using var archiver = await ArchivedAsync(where, null);
        var held = (
            await archiver.Database.ScalarAsync<string>($"SELECT min(session_id) FROM archiver.archives WHERE user_id = '{User}'")
        )!;
        var document = await ShowAsync(archiver, held);
        Task<IReadOnlyList<long>>? adding = null;
        archiver.Store = new HookedStore(archiver.Store)
        {
            // It waits for the manifests in hand, and comes before the objects.
            AfterPut = async key =>
            {
                if (!key.Contains("/manifests/", StringComparison.Ordinal))
                    return;
                adding ??= archiver.HoldAsync(new HoldRequest { Session = held, Reason = "case" }, Token);
                await LateHold.WaitedForAsync(archiver);
            },
        };

        var receipt = await archiver.EraseAsync(new() { User = User }, Token);

        Assert.Single(await adding!);
        Assert.Equal((null, RunOutcome.Partial, false), (receipt.Error, receipt.Outcome, receipt.Complete));
        Assert.Equal(held, receipt.Sessions.Single(s => s.State == "held").SessionId);
        // Of a bundle the other one has to wait; nobody can read it meanwhile.
        Assert.Equal(where == "bundle" ? 1 : 0, receipt.Sessions.Count(s => s.State == "remaining"));
        // One of the sessions and none of the user, of whom something stays.
        Assert.Equal(receipt.Sessions.Count - 1, receipt.Tombstones);
        Assert.Equal(document, await ShowAsync(archiver, held));
        Assert.DoesNotContain((await archiver.EraseAsync(new() { Reapply = true }, Token)).Sessions, s => s.SessionId == held);
        Assert.Equal(RunOutcome.Done, (await archiver.RunAsync(Token)).Outcome);
        Assert.Equal(1, (await archiver.RestoreAsync(RestoreFixture.Session(held), Token)).Restored);
        await archiver.Database.ExecuteAsync("UPDATE archiver.holds SET removed_at = now()", Token);
        Assert.True((await archiver.EraseAsync(new() { User = User }, Token)).Complete);
        Assert.DoesNotContain(held, await EverythingAsync(archiver, null), StringComparison.Ordinal);
    }

    // A ledger that is rebuilt would call an archive unconfirmed that no manifest names.
    [Theory]
    [InlineData("session")]
    [InlineData("bundle")]
    public async Task The_manifests_still_confirm_what_came_under_a_hold_before_they_were_written_again(string where)
    {
        await using var archiver = await ArchivedAsync(where, null);
        var held = (
            await archiver.Database.ScalarAsync<string>($"SELECT min(session_id) FROM archiver.archives WHERE user_id = '{User}'")
        )!;
        var reached = InProcessFault.Once(FaultPoints.EraseRowsCommitted, () =>
            archiver.HoldAsync(new HoldRequest { Session = held, Reason = "case" }, Token)
        );

        var receipt = await archiver.EraseAsync(new() { User = User }, Token);

        Assert.True(reached());
        Assert.Equal((null, RunOutcome.Partial, 1L), (receipt.Error, receipt.Outcome, receipt.Manifests));
        List<ManifestMember> members = [];
        await foreach (var manifest in new ManifestReader(archiver.Store).ReadAllAsync(archiver.Source.Prefix, Token))
            members.AddRange(manifest.Members);
        var place = await archiver.Database.ScalarAsync<string>(
            $"SELECT o.key FROM archiver.objects o JOIN archiver.archives a ON a.object_id = o.id WHERE a.session_id = '{held}'"
        );
        Assert.Equal((5, place), (members.Count, Assert.Single(members, m => m.Session == held).Key));
    }

    // More objects than are removed at once lie between the two of the session; only the first of these asks for its holds.
    [Fact]
    public async Task Nothing_of_a_session_goes_once_a_group_of_objects_has_seen_its_hold()
    {
        const string copy = "chat_archives/2020/01/left.json.gz";
        await using var archiver = await ArchivedAsync("session", null);
        var held = (
            await archiver.Database.ScalarAsync<string>($"SELECT min(session_id) FROM archiver.archives WHERE user_id = '{User}'")
        )!;
        var key = await archiver.Database.ScalarAsync<string>($"SELECT key FROM archiver.objects WHERE members = ARRAY['{held}']");
        await CopyAsync(archiver, key!, copy);
        await archiver.Database.ExecuteAsync(
            $"""
            INSERT INTO archiver.objects (location, key, attempt, source, run_id, layout, state, members, length, sha256)
            SELECT CASE WHEN n = 65 THEN o.location ELSE 's3://elsewhere' END, CASE WHEN n = 65 THEN '{copy}' ELSE 'k' || n END, 'x' || n,
              o.source, o.run_id, o.layout, CASE WHEN n = 65 THEN 'abandoned' ELSE 'discarded' END, o.members, o.length, o.sha256
            FROM archiver.objects AS o, generate_series(1, 65) AS n WHERE o.key = '{key}' ORDER BY n
            """,
            Token
        );
        var reached = InProcessFault.Once(FaultPoints.EraseRowsCommitted, () =>
            archiver.HoldAsync(new HoldRequest { Session = held, Reason = "case" }, Token)
        );

        var receipt = await archiver.EraseAsync(new() { User = User }, Token);

        Assert.True(reached());
        Assert.Equal((null, RunOutcome.Partial, false), (receipt.Error, receipt.Outcome, receipt.Complete));
        Assert.Equal(held, Assert.Single(receipt.Sessions, s => s.State == "held").SessionId);
        var left = await archiver.Bucket.ListKeysAsync("chat_archives/2", Token);
        Assert.Equal((true, true, 6), (left.Contains(key), left.Contains(copy), left.Count));
        Assert.Equal(1, (await archiver.RestoreAsync(RestoreFixture.Session(held), Token)).Restored);
    }

    // One is live; of the other a message came after it was archived, which without a foreign key it can.
    [Theory]
    [InlineData("chat_sessions")]
    [InlineData("archiver.archives")]
    public async Task Rows_of_a_session_that_comes_under_a_hold_before_they_are_deleted_stay(string known)
    {
        await using var archiver = await ArchivedAsync("session", null);
        await archiver.Database.ExecuteAsync("ALTER TABLE chat_messages DROP CONSTRAINT chat_messages_session_id_fkey", Token);
        var held = (await archiver.Database.ScalarAsync<string>($"SELECT min(session_id::text) FROM {known} WHERE user_id = '{User}'"))!;
        await archiver.ExecuteAsync("INSERT INTO chat_messages (session_id, role, content) VALUES ($1, 'user', 'late')", held);
        var rows = await RowsAsync();
        var reached = InProcessFault.Once(FaultPoints.EraseTextErased, () =>
            archiver.HoldAsync(new HoldRequest { Session = held, Reason = "case" }, Token)
        );

        var receipt = await archiver.EraseAsync(new() { User = User }, Token);

        Assert.True(reached());
        Assert.Equal((null, RunOutcome.Partial, false), (receipt.Error, receipt.Outcome, receipt.Complete));
        Assert.Equal(held, Assert.Single(receipt.Sessions, s => s.State == "held").SessionId);
        Assert.Contains("late", rows, StringComparison.Ordinal);
        Assert.Equal(rows, await RowsAsync());

        Task<string> RowsAsync() => archiver.Database.CopyOutAsync($"SELECT * FROM chat_messages WHERE session_id = '{held}' ORDER BY id");
    }
}
