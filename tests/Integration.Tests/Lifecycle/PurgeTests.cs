using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Testing;
using static Archiver.Integration.Tests.Lifecycle.PolicyRuns;
using static Archiver.Integration.Tests.Lifecycle.Purgeable;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>Purge deletes without a copy what users deleted long ago: that, all of it, and nothing else.</summary>
public sealed class PurgeTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("NULL", 0)]
    [InlineData("CASE WHEN n % 3 = 0 THEN now() - interval '91 days' WHEN n % 3 = 1 THEN now() - interval '89 days' END", 8)]
    [InlineData("now() - interval '91 days'", 24)]
    public async Task Purges_sessions_deleted_long_ago_and_leaves_the_rest_to_the_byte(string deletedAt, int due)
    {
        await using var archiver = await CreateAsync(deletedAt);
        var db = archiver.Database;
        var rows = await db.ScalarAsync<long>(
            "SELECT (SELECT count(*) FROM chat_messages m JOIN chat_sessions s ON s.id = m.session_id "
                + $"WHERE s.{Due}) + (SELECT count(*) FROM chat_sessions WHERE {Due})"
        );
        var others = await RowsAsync(db, $"NOT coalesce({Due}, false)");

        var summary = await archiver.RunAsync(Purge(), Token);

        Assert.Null(summary.Error);
        Assert.Equal((RunOutcome.Done, 0, due, rows), (summary.Outcome, summary.ExitCode, summary.Sessions, summary.Rows));
        Assert.Equal(others, await RowsAsync(db, "true"));
        Assert.Equal(
            $"{due} {rows}",
            await db.ScalarAsync<string>(
                "SELECT concat_ws(' ', sessions_done, rows_deleted) FROM archiver.runs WHERE action = 'purge' AND state = 'done'"
            )
        );
        Assert.Equal(
            $"{due} {rows}",
            await db.ScalarAsync<string>(
                """
                SELECT concat_ws(' ', coalesce(sum((a.counts->>'sessions')::int), 0), coalesce(sum((a.counts->>'rows')::int), 0))
                FROM archiver.runs r LEFT JOIN archiver.audit a ON a.run_id = r.id AND a.action = 'purge' AND a.source = 'main'
                  AND a.policy = 'purge' AND a.who = r.worker
                """
            )
        );
        Assert.Empty(await archiver.Bucket.ListKeysAsync());
    }

    [Fact]
    public async Task Keeps_what_is_held_in_the_selection_and_what_is_held_since()
    {
        await using var archiver = await CreateAsync("now() - interval '91 days'");
        await archiver.MigrateAsync(Token);
        var (before, since) = (await SessionAsync(archiver, 0), await SessionAsync(archiver, 9));
        await archiver.HoldAsync(before);

        var summary = await archiver.RunAsync(
            Purge(),
            Token,
            afterFirstBatch: "INSERT INTO archiver.holds (source, session_id, reason, created_by) VALUES ('main', "
                + $"'{since}', 'case 8', 'test')"
        );

        Assert.Equal((RunOutcome.Done, 22L), (summary.Outcome, summary.Sessions));
        Assert.Equal(1, summary.Reasons[DropReason.Held]);
        Assert.Equal(
            2,
            await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM chat_sessions WHERE id IN ('{before}', '{since}')")
        );
        Assert.Equal(2, await archiver.Database.ScalarAsync<long>("SELECT count(DISTINCT session_id) FROM chat_messages"));
    }

    // Its archive is of a time when it was somebody else's; what is held of a session holds all of it.
    [Fact]
    public async Task Keeps_a_session_of_which_an_archive_is_held()
    {
        await using var archiver = await CreateAsync("now() - interval '91 days'");
        await archiver.MigrateAsync(Token);
        var session = await SessionAsync(archiver, 0);
        await archiver.Database.ExecuteAsync(
            $"""
            INSERT INTO archiver.runs (id, source, policy, action, state, worker) SELECT gen_random_uuid(), 'main', 'idle', 'archive',
              'done', 'w';
            INSERT INTO archiver.objects (location, key, attempt, source, run_id, layout, state, members, length, sha256)
              SELECT 's3://elsewhere', 'k', 'x', 'main', r.id, 'session', 'stored', ARRAY['{session}'], 1, '' FROM archiver.runs AS r;
            INSERT INTO archiver.archives (source, session_id, generation, state, user_id, user_column, session_created_at,
                session_first_activity, session_last_activity, message_count, row_count, object_id, byte_offset, byte_length,
                json_length, json_sha256, fingerprints, run_id, policy, exported_at)
              SELECT 'main', '{session}', 1, 'superseded', 'former', 'user_id', '2020-01-01', '2020-01-01', '2020-01-02', 1, 2, o.id, 0, 1,
                1, '', '{"{}"}', o.run_id, 'idle', now() FROM archiver.objects AS o;
            INSERT INTO archiver.holds (source, user_id, reason, created_by) VALUES ('main', 'former', 'case 9', 'test');
            """,
            Token
        );

        var summary = await archiver.RunAsync(Purge(), Token);

        Assert.Equal((null, RunOutcome.Done, 23L), (summary.Error, summary.Outcome, summary.Sessions));
        Assert.Equal(1, summary.Reasons[DropReason.Held]);
        Assert.Equal(session, await archiver.Database.ScalarAsync<string>("SELECT id::text FROM chat_sessions"));
    }

    [Fact]
    public async Task Keeps_a_session_that_its_user_brought_back_just_before()
    {
        await using var archiver = await CreateAsync("now() - interval '91 days'");
        var restored = await SessionAsync(archiver, 9);

        var summary = await archiver.RunAsync(
            Purge(),
            Token,
            afterFirstBatch: $"UPDATE chat_sessions SET deleted_at = NULL WHERE id = '{restored}'"
        );

        Assert.Equal((RunOutcome.Done, 23L), (summary.Outcome, summary.Sessions));
        Assert.Equal(1, summary.Reasons[DropReason.NoLongerEligible]);
        Assert.Equal(restored, await archiver.Database.ScalarAsync<string>("SELECT id::text FROM chat_sessions"));
        Assert.Equal(3, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_messages"));
    }

    [Fact]
    public async Task Leaves_a_session_that_somebody_has_in_hands_to_the_next_run()
    {
        await using var archiver = await CreateAsync("now() - interval '91 days'");
        await using var writer = await archiver.Database.DataSource.OpenConnectionAsync(Token);
        await using var open = await writer.BeginTransactionAsync(Token);
        await archiver.ExecuteAsync(
            "UPDATE chat_messages SET content = 'edited' WHERE id = (SELECT min(id::text)::uuid FROM chat_messages WHERE session_id = $1)",
            await SessionAsync(archiver, 3),
            writer
        );

        var summary = await archiver.RunAsync(Purge(), Token);
        await open.CommitAsync(Token);

        Assert.Equal((RunOutcome.Done, 23L, 1L), (summary.Outcome, summary.Sessions, summary.Reasons[DropReason.Locked]));
        Assert.Equal(1, (await archiver.RunAsync(Purge(), Token)).Sessions);
    }

    [Theory]
    [InlineData("DELETE FROM public.notes WHERE session_id = OLD.id")]
    [InlineData(
        "UPDATE public.chat_sessions SET title = 'lost' WHERE deleted_at IS NULL AND OLD.id IN (SELECT session_id FROM public.notes)"
    )]
    public async Task Fails_in_part_where_a_delete_would_change_other_rows(string sideEffect)
    {
        await using var archiver = await CreateAsync("now() - interval '91 days'");
        var session = await SessionAsync(archiver, 2);
        await archiver.Database.ExecuteAsync(
            $"""
            UPDATE chat_sessions SET deleted_at = NULL WHERE id = (SELECT id FROM chat_sessions WHERE id <> '{session}' LIMIT 1);
            CREATE TABLE notes (session_id uuid, note text);
            INSERT INTO notes VALUES ('{session}', 'precious');
            CREATE FUNCTION tidy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {sideEffect}; RETURN NULL; END $$;
            CREATE TRIGGER tidy AFTER DELETE ON chat_sessions FOR EACH ROW EXECUTE FUNCTION tidy();
            """
        );

        var summary = await archiver.RunAsync(Purge(), Token);

        Assert.Equal((RunOutcome.Partial, 1, 22L, 1L), (summary.Outcome, summary.ExitCode, summary.Sessions, summary.Failed));
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions WHERE title = 'lost'"));
        Assert.Equal("precious", await archiver.Database.ScalarAsync<string>("SELECT note FROM notes"));
        Assert.Equal(session, await archiver.Database.ScalarAsync<string>("SELECT session_id FROM archiver.quarantine"));
    }

    [Fact]
    public async Task Stops_at_MaxSessions_and_before_the_trip_wire()
    {
        await using var archiver = await CreateAsync("now() - interval '91 days'");

        Assert.Equal(5, (await archiver.RunAsync(Purge() with { MaxSessions = 5 }, Token)).Sessions);
        await ApplicationSchema.GenerateAsync(
            archiver.Database,
            "soft-delete",
            idle: 1000,
            young: 10,
            messages: 0,
            seed: 2,
            cancellationToken: Token
        );
        await archiver.Database.ExecuteAsync("UPDATE chat_sessions SET deleted_at = now() - interval '91 days'");
        var refused = await archiver.RunAsync(Purge(), Token);

        Assert.Equal((RunOutcome.Refused, 3), (refused.Outcome, refused.ExitCode));
        Assert.Contains("archiver accept main/purge", refused.Error, StringComparison.Ordinal);
        Assert.Equal(1029, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions"));
    }

    // Pages of ten, batches of five sessions with three messages each: what happens between two batches is part of the tests.
    private Task<ArchiverFixture> CreateAsync(string deletedAt) =>
        SessionsAsync(servers, deletedAt, new() { Sessions = 10, Rows = 20 }, Token, s => s with { Safety = new() { MaxShare = 0.25 } });
}
