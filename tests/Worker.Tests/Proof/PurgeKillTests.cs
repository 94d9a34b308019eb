using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Worker.Tests.Proof;

/// <summary>
/// A purge and an expiry that are killed by SIGKILL between any two steps: each batch is wholly done, counted and audited, or not at all.
/// </summary>
public sealed class PurgeKillTests(TestServers servers)
{
    private const int Messages = 2;

    /// <summary>What every transaction that deletes goes through, whoever asked for it.</summary>
    private static readonly string[] Shared = ["archive.delete-ready"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_purge_killed_at_every_step_deletes_what_is_due_and_nothing_else()
    {
        var points = Of("change", "purge").Concat(Shared).ToList();
        await using var archiver = await CreateAsync("soft-delete", idle: 2 * points.Count);
        archiver
            .With("Sources:main:Policies:idle:Delete", "Nothing")
            .With("Sources:main:Policies:purge:Action", "Purge")
            .With("Sources:main:Policies:purge:DeletedFor", "90d");
        var db = archiver.Database;
        // In a document line breaks of a json value are spelled otherwise, and the oracle compares texts.
        await db.ExecuteAsync(
            @"UPDATE chat_sessions SET settings = translate(settings::text, E'\n', ' ')::json, metadata = translate(metadata::text, E'\n', ' ')::json"
        );
        await db.ExecuteAsync(
            @"UPDATE chat_messages SET tool_calls = translate(tool_calls::text, E'\n', ' ')::json, metadata = translate(metadata::text, E'\n', ' ')::json"
        );
        var oracle = await Oracle.AttachAsync(db, archiver.Bucket, Token, ShadowTable.SoftDelete);
        // What is purged has a stored copy, which then stands for nothing any more.
        await archiver.ToRestAsync(Token, "archive");
        await db.ExecuteAsync(
            "UPDATE chat_sessions SET deleted_at = now() - interval '91 days' WHERE last_activity < now() - interval '90 "
                + "days'; UPDATE chat_sessions SET deleted_at = now() WHERE deleted_at > now() - interval '90 days'"
        );
        var due = await db.ScalarAsync<long>("SELECT count(*) FROM chat_sessions WHERE deleted_at < now() - interval '90 days'");
        var others = await RowsAsync(db);
        foreach (var point in points)
        {
            await archiver.KillAtAsync(point, 1, Token, "purge", "--max-sessions", "2");
            Assert.Empty(await oracle.ViolationsAsync(atRest: false, Token));
        }
        Assert.InRange(await db.ScalarAsync<long>("SELECT count(*) FROM archiver.audit WHERE action = 'purge'"), 2, points.Count - 1);

        await archiver.ToRestAsync(Token, "purge");

        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
        Assert.Equal(others, await RowsAsync(db));
        Assert.Equal(
            $"{due} {due * (1 + Messages)} {due}",
            await db.ScalarAsync<string>(
                """
                SELECT concat_ws(' ', sum((counts ->> 'sessions')::int), sum((counts ->> 'rows')::int), (SELECT count(*)
                  FROM archiver.archives
                  WHERE state = 'superseded' AND reason = 'purged'))
                FROM archiver.audit WHERE action = 'purge'
                """
            )
        );
    }

    // Its steps are the other purge's; these three are the ones after which rows may be gone.
    [Fact]
    public async Task A_purge_of_messages_that_is_killed_leaves_their_sessions()
    {
        string[] points = ["purge.deleted", "archive.delete-ready", "change.committed"];
        await using var archiver = await CreateAsync("soft-delete", idle: 2 * points.Length);
        archiver
            .With("Sources:main:Policies:purge:Action", "Purge")
            .With("Sources:main:Policies:purge:Scope", "Messages")
            .With("Sources:main:Policies:purge:DeletedFor", "90d");
        var db = archiver.Database;
        await db.ExecuteAsync(
            "UPDATE chat_sessions SET deleted_at = NULL; UPDATE chat_messages SET deleted_at = CASE WHEN sequence = "
                + "(SELECT min(sequence) FROM chat_messages) THEN now() - interval '91 days' END"
        );
        var due = await db.ScalarAsync<long>("SELECT count(*) FROM chat_messages WHERE deleted_at IS NOT NULL");
        var oracle = await Oracle.AttachAsync(db, archiver.Bucket, Token, ShadowTable.SoftDelete);
        var others =
            await db.CopyOutAsync("SELECT * FROM chat_sessions ORDER BY id")
            + await db.CopyOutAsync("SELECT * FROM chat_messages WHERE deleted_at IS NULL ORDER BY id");
        foreach (var point in points)
        {
            await archiver.KillAtAsync(point, 1, Token, "purge", "--max-sessions", "2");
            Assert.Empty(await oracle.ViolationsAsync(atRest: false, Token));
        }

        await archiver.ToRestAsync(Token, "purge");

        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
        Assert.Equal(
            others,
            await db.CopyOutAsync("SELECT * FROM chat_sessions ORDER BY id")
                + await db.CopyOutAsync("SELECT * FROM chat_messages ORDER BY id")
        );
        Assert.Equal(
            (true, due),
            (
                due > points.Length,
                await db.ScalarAsync<long>("SELECT sum((counts ->> 'rows')::int)::bigint FROM archiver.audit WHERE action = 'purge'")
            )
        );
    }

    [Fact]
    public async Task An_expiry_killed_at_every_step_sets_what_is_due_and_nothing_else()
    {
        List<string> points = [.. Of("change", "expire"), "archive.delete-ready"];
        await using var archiver = await CreateAsync("status-expiry", idle: 2 * points.Count);
        archiver.With("Sources:main:Policies:expire:Action", "Expire").With("Sources:main:Policies:expire:ExpiredFor", "0s");
        var db = archiver.Database;
        await db.ExecuteAsync(
            "UPDATE sessions SET status = 'active', expires_at = CASE WHEN updated_at < now() - interval '90 days' THEN "
                + "now() - interval '1 second' END"
        );
        const string untouched = "SELECT id, session_id, user_id, created_at, expires_at, title, metadata FROM sessions ORDER BY id";
        var rows = await db.CopyOutAsync(untouched);
        var due = await db.ScalarAsync<long>("SELECT count(*) FROM sessions WHERE expires_at < now()");
        var oracle = await Oracle.AttachAsync(db, archiver.Bucket, Token, ShadowTable.StatusExpiry);
        foreach (var point in points)
        {
            await archiver.KillAtAsync(point, 1, Token, "expire", "--max-sessions", "2");
            Assert.Empty(await oracle.ViolationsAsync(atRest: false, Token));
        }

        await archiver.ToRestAsync(Token, "expire");

        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
        Assert.Equal(
            (true, due, due),
            (
                due > points.Count,
                await db.ScalarAsync<long>("SELECT count(*) FROM sessions WHERE status = 'expired' AND expires_at IS NOT NULL"),
                await db.ScalarAsync<long>("SELECT sum((counts ->> 'sessions')::int)::bigint FROM archiver.audit WHERE action = 'expire'")
            )
        );
        Assert.Equal(rows, await db.CopyOutAsync(untouched));
    }

    private static List<string> Of(params string[] scenarios)
    {
        var points = ProcessFault.Points.Where(p => scenarios.Contains(p.Split('.')[0])).ToList();
        Assert.All(scenarios, s => Assert.Contains(points, p => p.StartsWith($"{s}.", StringComparison.Ordinal)));
        return points;
    }

    private static async Task<string> RowsAsync(TestDatabase db)
    {
        const string keep = "deleted_at IS NULL OR deleted_at > now() - interval '90 days'";
        return await db.CopyOutAsync($"SELECT * FROM chat_sessions WHERE {keep} ORDER BY id")
            + await db.CopyOutAsync(
                $"SELECT * FROM chat_messages WHERE session_id IN (SELECT id FROM chat_sessions WHERE {keep}) ORDER BY id"
            );
    }

    // Two sessions a process, so that some are left for the last one.
    private async Task<Installation> CreateAsync(string preset, int idle) =>
        (await Installation.CreateAsync(servers, Token, idle, young: 2, messages: Messages, preset: preset)).Patient();
}
