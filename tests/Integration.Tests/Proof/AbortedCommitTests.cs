using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Proof;

/// <summary>
/// What became of a commit that was not answered is asked of what only this transaction can have written (docs/protocol.md rule 15).
/// </summary>
public sealed class AbortedCommitTests(TestServers servers)
{
    private const int Idle = 4;

    // With its end: "READ COMMITTED" is no commit.
    private const string Commit = "COMMIT\0";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // The session left an earlier batch of the run, and was selected again because its activity had moved on.
    [Theory]
    [InlineData(DeleteMode.Session, "archived")]
    [InlineData(DeleteMode.Nothing, "stored")]
    public async Task Takes_no_record_of_an_earlier_batch_for_a_commit_that_never_came(DeleteMode delete, string state)
    {
        await using var relay = RelayedSource.RelayTo(servers);
        await using var archiver = await CreateAsync(relay, delete);
        var session = await archiver.AnyIdleAsync(Token);
        InProcessFault.Once(FaultPoints.DeleteReady, async () =>
        {
            await archiver.ExecuteAsync(
                """
                WITH earlier AS (
                  INSERT INTO archiver.objects (location, key, attempt, source, run_id, layout, state, members, length, sha256)
                  SELECT o.location, o.key || '.earlier', o.attempt, o.source, o.run_id, o.layout, 'abandoned', o.members, o.length,
                    o.sha256
                  FROM archiver.objects AS o
                  WHERE $1::text = ANY (o.members)
                  RETURNING id, run_id
                )
                INSERT INTO archiver.archives (
                  source, session_id, generation, state, message_count, row_count, object_id, byte_offset, byte_length, json_length,
                  json_sha256, fingerprints, run_id, policy, reason, exported_at)
                SELECT 'main', $1::text, 1000, 'abandoned', 0, 0, e.id, 0, 1, 1, '', '{}', e.run_id, 'idle', 'changed after export', now()
                FROM earlier AS e
                """,
                session
            );
            relay.CutBefore(Commit);
        });

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((1, RunOutcome.Done, null, (long)Idle), (relay.Lost, summary.Outcome, summary.Error, summary.Sessions));
        Assert.Equal(Idle, await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM archiver.archives WHERE state = '{state}'"));
        Assert.Equal(
            delete == DeleteMode.Session ? 0 : Idle,
            await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions WHERE last_activity < now() - interval '90 days'")
        );
    }

    [Fact]
    public async Task Knows_the_commit_of_a_batch_of_which_no_copy_was_right()
    {
        await using var relay = RelayedSource.RelayTo(servers);
        await using var archiver = await CreateAsync(relay, DeleteMode.Session);
        archiver.Store = new HookedStore(archiver.Store) { AfterPut = key => archiver.Bucket.PutRawAsync(key, [1]) };
        InProcessFault.Once(FaultPoints.DeleteReady, () =>
        {
            relay.LoseAnswerTo(Commit);
            return Task.CompletedTask;
        });

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((1, RunOutcome.Partial, null, (long)Idle), (relay.Lost, summary.Outcome, summary.Error, summary.Failed));
    }

    private Task<ArchiverFixture> CreateAsync(TcpRelay relay, DeleteMode delete) =>
        ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1, configure: s =>
        {
            var source = s.Through(relay).Sources[0];
            return s with { Sources = [source with { Policies = [source.Policies[0] with { Delete = delete }] }] };
        });
}
