using Archiver.Core.Diagnostics;
using Archiver.Core.Reading;
using Archiver.Core.Settings;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Restore;

/// <summary>A restored session takes the place of a live one, which is archived before.</summary>
public sealed class ReplaceTests(TestServers servers)
{
    private const string OneMore =
        "INSERT INTO chat_messages (session_id, role, content, timestamp) VALUES ($1, 'user', 'said since', now() - interval '200 days')";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Replace_archives_the_live_version_first_and_both_stay_restorable()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0);
        var id = await archiver.AnyIdleAsync(Token);
        var first = await archiver.Database.CopyTablesAsync(archiver);
        await archiver.RunAsync(Token);
        await archiver.RestoreAsync(RestoreFixture.Everything, Token);
        await archiver.ExecuteAsync(OneMore, id);
        var second = await archiver.Database.CopyTablesAsync(archiver);

        var back = await archiver.RestoreAsync(RestoreFixture.Session(id) with { OnConflict = ConflictMode.Replace }, Token);
        var rowsThen = await archiver.Database.CopyTablesAsync(archiver);
        var forth = await archiver.RestoreAsync(
            RestoreFixture.Session(id) with
            {
                OnConflict = ConflictMode.Replace,
                Generation = 2,
            },
            Token
        );

        Assert.Equal((RunOutcome.Done, null, 1L), (back.Outcome, back.Error, back.Restored));
        Assert.Equal(first, rowsThen);
        Assert.Equal((RunOutcome.Done, null, 1L), (forth.Outcome, forth.Error, forth.Restored));
        Assert.Equal(second, await archiver.Database.CopyTablesAsync(archiver));
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'archived'"));
    }

    [Fact]
    public async Task Replace_puts_the_stored_copy_in_the_place_of_a_session_that_is_alive_again()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0, configure: s =>
            s with
            {
                Sources = [s.Sources[0] with { Policies = [s.Sources[0].Policies[0] with { Delete = DeleteMode.Nothing }] }],
            }
        );
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        var id = await archiver.AnyIdleAsync(Token);
        var messages = await archiver.Database.CopyOutAsync("SELECT * FROM chat_messages ORDER BY id");
        Assert.Equal(3, (await archiver.RunAsync(Token)).Sessions);
        await archiver.ExecuteAsync(OneMore, id);
        var rows = await archiver.Database.CopyTablesAsync(archiver);

        var refused = await archiver.RestoreAsync(RestoreFixture.Session(id), Token);
        Assert.Equal((RunOutcome.Partial, 0L), (refused.Outcome, refused.Restored));
        Assert.Equal(rows, await archiver.Database.CopyTablesAsync(archiver));
        var report = await archiver.RestoreAsync(RestoreFixture.Session(id) with { OnConflict = ConflictMode.Replace }, Token);

        Assert.Equal((RunOutcome.Done, null, 1L), (report.Outcome, report.Error, report.Restored));
        Assert.Equal(messages, await archiver.Database.CopyOutAsync("SELECT * FROM chat_messages ORDER BY id"));
        // What was live is an archive of its own, and the two other sessions are stored and marked as before.
        Assert.Equal(
            "1 restored, 2 superseded",
            await archiver.Database.ScalarAsync<string>(
                $"SELECT string_agg(generation || ' ' || state, ', ' ORDER BY generation) FROM archiver.archives WHERE session_id = '{id}'"
            )
        );
        Assert.Equal(
            2,
            await archiver.Database.ScalarAsync<long>(
                "SELECT count(*) FROM archiver.archives JOIN chat_sessions s ON "
                    + "s.session_id::text = archives.session_id WHERE state = 'stored' AND archived"
            )
        );
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }

    [Fact]
    public async Task Replace_of_a_shard_leaves_the_stored_copies_of_the_others_to_their_own_runs()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 12, young: 0, configure: s =>
            s with
            {
                Schedule = s.Schedule with { Shards = 2 },
                Sources = [s.Sources[0] with { Policies = [s.Sources[0].Policies[0] with { Delete = DeleteMode.Nothing }] }],
            }
        );
        Assert.Equal(12, (await archiver.RunAsync(Token)).Sessions);
        string[] ids = [await OfShardAsync(1), await OfShardAsync(2)];
        foreach (var id in ids)
            await archiver.ExecuteAsync(OneMore, id);
        var stored = "";
        // The run of the first shard has made room when it stores its live version.
        archiver.Store = new HookedStore(archiver.Store) { BeforeFirstPut = async () => stored = await StatesAsync() };

        var report = await archiver.RestoreAsync(RestoreFixture.Session(ids) with { OnConflict = ConflictMode.Replace }, Token);

        Assert.Equal("superseded, stored", stored);
        Assert.Equal((RunOutcome.Done, null, 2L), (report.Outcome, report.Error, report.Restored));

        async Task<string> OfShardAsync(int number) =>
            (
                await archiver.Database.ScalarAsync<string>(
                    $"SELECT min(session_id::text) FROM chat_sessions WHERE {new Shard(number, 2).Sql("session_id")}"
                )
            )!;

        async Task<string> StatesAsync() =>
            (
                await archiver.Database.ScalarAsync<string>(
                    $"SELECT string_agg(state, ', ' ORDER BY array_position(ARRAY['{ids[0]}', '{ids[1]}'], session_id)) FROM "
                        + $"archiver.archives WHERE session_id IN ('{ids[0]}', '{ids[1]}') AND generation = 1"
                )
            )!;
    }

    // Its name was once that of a policy that anybody may configure.
    [Fact]
    public async Task Replace_touches_nothing_else_of_a_policy_that_is_called_replace()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0, configure: s =>
            s with
            {
                Sources =
                [
                    s.Sources[0] with
                    {
                        Policies = [s.Sources[0].Policies[0] with { Name = "replace", DeleteAfter = TimeSpan.FromDays(1) }],
                    },
                ],
            }
        );
        Assert.Equal(3, (await archiver.RunAsync(Token)).Sessions);
        await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET stored_at = now() - interval '2 days'");
        var id = await archiver.AnyIdleAsync(Token);
        await archiver.ExecuteAsync("UPDATE chat_messages SET content = 'edited'", null);

        var report = await archiver.RestoreAsync(RestoreFixture.Session(id) with { OnConflict = ConflictMode.Replace }, Token);

        Assert.Equal((RunOutcome.Done, null, 1L), (report.Outcome, report.Error, report.Restored));
        Assert.Equal(
            "2 stored",
            await archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(DISTINCT n || ' ' || state, ', ') FROM "
                    + $"(SELECT state, count(*) AS n FROM archiver.archives WHERE session_id <> '{id}' GROUP BY state) s"
            )
        );
        Assert.Equal(3, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions"));
        Assert.NotNull(Core.Settings.Names.Limit(Archiver.Core.Pipelines.LiveVersions.Name));
        Assert.Equal(
            "replace, restore, restore/replace",
            await archiver.Database.ScalarAsync<string>("SELECT string_agg(DISTINCT policy, ', ' ORDER BY policy) FROM archiver.runs")
        );
    }
}
