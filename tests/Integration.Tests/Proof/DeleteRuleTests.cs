using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Proof;

/// <summary>Rules of docs/protocol.md on the delete and the objects that no other test holds.</summary>
public sealed class DeleteRuleTests(TestServers servers)
{
    private const int Idle = 4;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // The oracle's own eye for rule 23: no break of the product is needed to see that it can be red.
    [Theory]
    [InlineData("session_id", "session_id::text")]
    [InlineData("user_id", "user_id")]
    [InlineData("from_time", "last_activity - interval '1 second'")]
    [InlineData("to_time", "created_at + interval '1 second'")]
    public async Task The_oracle_sees_what_the_archiver_deletes_under_a_hold(string column, string value)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 1, young: 0);
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        await archiver.ExecuteAsync("UPDATE chat_sessions SET user_id = 'ann'", null);
        await archiver.ExecuteAsync(
            $"INSERT INTO archiver.holds (source, {column}, reason, created_by) SELECT 'main', {value}, 'case 7', "
                + "'test' FROM chat_sessions",
            null
        );
        await archiver.ExecuteAsync("SET application_name = 'archiver'; DELETE FROM chat_messages; DELETE FROM chat_sessions", null);

        var violations = await oracle.ViolationsAsync(atRest: false, Token);

        const string rule = "deleted, discarded, erased or removed while a hold covered it";
        Assert.Contains(violations, v => v.StartsWith(rule, StringComparison.Ordinal));
        await archiver.ExecuteAsync("UPDATE archiver.holds SET removed_at = now(); DELETE FROM shadow.held", null);
        Assert.DoesNotContain(await oracle.ViolationsAsync(atRest: false, Token), v => v.StartsWith(rule, StringComparison.Ordinal));
    }

    // None of these changes a row version, so no fingerprint shows them.
    [Theory]
    [InlineData("ALTER TABLE chat_messages ADD COLUMN added text DEFAULT 'not exported'")]
    [InlineData("CREATE TABLE kept (id bigint); CREATE RULE keep AS ON DELETE TO chat_messages DO INSTEAD NOTHING")]
    [InlineData(
        "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'; CREATE TRIGGER keep BEFORE DELETE ON "
            + "chat_messages FOR EACH ROW EXECUTE FUNCTION keep()"
    )]
    [InlineData("CREATE TABLE extras (id bigserial PRIMARY KEY, session_id uuid REFERENCES chat_sessions ON DELETE CASCADE)")]
    [InlineData("ALTER TABLE chat_messages ENABLE ROW LEVEL SECURITY; CREATE POLICY visible ON chat_messages USING (id > 0)")]
    [InlineData("ALTER TABLE chat_messages ALTER COLUMN content TYPE varchar")]
    public async Task Rule_9_leaves_a_table_alone_that_was_changed_between_export_and_delete(string change)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        var reached = InProcessFault.Once(FaultPoints.Verified, () => archiver.ExecuteAsync(change, null));

        var summary = await archiver.RunAsync(Token);

        Assert.True(reached());
        Assert.Equal((0L, (long)Idle), (summary.Sessions, summary.Skipped));
        Assert.Equal(Idle, summary.Reasons[DropReason.TableChanged]);
    }

    [Fact]
    public async Task Rule_13_never_swallows_an_archive_that_is_in_the_ledger_already()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        var session = await archiver.AnyIdleAsync(Token);
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        InProcessFault.Once(FaultPoints.Verified, () => archiver.ExecuteAsync(
                $"""
                INSERT INTO archiver.archives (source, session_id, generation, state, message_count, row_count, object_id, byte_offset,
                  byte_length, json_length, json_sha256, fingerprints, run_id, policy, exported_at)
                SELECT 'main', '{session}', 1, 'abandoned', 0, 0, o.id, 0, 0, 0, '', jsonb '[]', o.run_id, 'idle', now()
                  FROM archiver.objects AS o LIMIT 1
                """,
                null
            ));

        var summary = await archiver.RunAsync(Token);

        // It alone stays; the server refused its record.
        Assert.Equal((RunOutcome.Partial, Idle - 1L, 1L), (summary.Outcome, summary.Sessions, summary.Failed));
        Assert.Equal(
            1,
            await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM chat_sessions WHERE session_id = '{session}'", Token)
        );
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }

    [Fact]
    public async Task Rule_21_a_run_sends_no_delete_of_an_object()
    {
        FaultProxy? proxy = null;
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1, configure: s =>
        {
            proxy = new FaultProxy(s.Storage.Endpoint!, (_, _) => StoreFault.None);
            // One object after the other: the first is damaged before it is read back.
            return s with { Storage = s.Storage with { Endpoint = proxy.Endpoint, UploadConcurrency = 1 } };
        });
        await using var ended = proxy!;
        // One copy is superfluous, one is damaged: both stay.
        var session = "";
        InProcessFault.Once(FaultPoints.ObjectStored, async () =>
        {
            var damaged = Assert.Single(await archiver.Bucket.ListKeysAsync("chat_archives/2", Token));
            await archiver.Bucket.PutRawAsync(damaged, [1], Token);
            session = await archiver.Database.ScalarAsync<string>(
                $"SELECT session_id::text FROM chat_sessions WHERE last_activity < now() - interval '90 days' AND strpos('{damaged}', "
                    + "session_id::text) = 0 LIMIT 1",
                Token
            );
            await archiver.ExecuteAsync("UPDATE chat_messages SET content = 'edited' WHERE session_id = $1", session);
        });

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((Idle - 2L, 1L, 1L), (summary.Sessions, summary.Skipped, summary.Failed));
        Assert.Contains(ended.Requests, r => r.Method == "PUT" && r.Path.Contains(session, StringComparison.Ordinal));
        Assert.DoesNotContain(ended.Requests, r =>
            r.Path.Contains("/chat_archives/2", StringComparison.Ordinal) && r.Method is not ("PUT" or "GET" or "HEAD")
        );
        Assert.DoesNotContain(ended.Requests, r => r.Path.Contains("?delete", StringComparison.Ordinal));
        Assert.Equal(Idle, (await archiver.Bucket.ListKeysAsync("chat_archives/2", Token)).Count);
    }
}
