using Archiver.Testing;

namespace Archiver.Worker.Tests.Proof;

/// <summary>
/// Legal holds of the long proof: set while workers are killed, lifted later. The oracle says whether anything touched what they covered.
/// </summary>
internal sealed class HeldArchives(Installation archiver, ProofVerbs verbs, ProofClaims claims, Random random)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private const string Held =
        "EXISTS (SELECT FROM archiver.holds AS h WHERE h.removed_at IS NULL AND (h.session_id = a.session_id OR "
        + "h.user_id = a.user_id OR h.from_time IS NOT NULL))";

    /// <summary>
    /// Of each round one hold by key or user stays in force until the next, while runs and restores are killed; one that covers everything
    /// is lifted at once. What is held is neither erased nor discarded.
    /// </summary>
    public async Task HoldAsync(TestBucket bucket)
    {
        await LiftAsync();
        var id = await AnyArchivedAsync();
        await verbs.UnlessLockedAsync(["hold", "add", "--from", "1970-01-01", "--reason", "all"]);
        var objects = await bucket.ListKeysAsync("chat_archives/2", Token);
        archiver.With("Discard:After", "1s").With("Discard:Notice", "1s");
        await verbs.UnlessLockedAsync(["discard", "--yes"]);
        archiver.With("Discard:After", null).With("Discard:Notice", null);
        await verbs.UnlessLockedAsync(["archive", "--max-sessions", "5"]);
        await claims.UntouchedAsync(objects, bucket, Token);
        await LiftAsync();

        var user = await archiver.Database.ScalarAsync<string>(
            $"SELECT user_id FROM archiver.archives WHERE session_id = '{id}' AND state = 'archived'",
            Token
        );
        string[] what = random.Next(2) == 0 && user is not null ? ["--user", user] : ["--session", id];
        await verbs.DoneAsync(["hold", "add", .. what, "--reason", "case 7"]);
        var live = await archiver.Database.ScalarAsync<string>(
            "SELECT session_id::text FROM chat_sessions WHERE last_activity < now() - interval '90 days' ORDER BY session_id LIMIT 1",
            Token
        );
        // A writer may delete it meanwhile.
        if (live is not null)
            await verbs.UnlessLockedAsync(["hold", "add", "--session", live, "--reason", "case 8"]);
        var erased = await verbs.UnlessLockedAsync(["erase", id, "--yes"]);
        Assert.True(
            erased.ExitCode == 1 && erased.Output.Contains("held", StringComparison.Ordinal),
            $"{erased.ExitCode} {erased.Output}{erased.Error}"
        );
        await claims.UntouchedAsync(await claims.ObjectsAsync(id, Token), bucket, Token);
    }

    /// <summary>Lifts every hold.</summary>
    public async Task LiftAsync()
    {
        foreach (
            var hold in (
                await archiver.Database.ScalarAsync<long[]>(
                    "SELECT array_agg(h.id) FROM archiver.holds AS h WHERE h.removed_at IS NULL",
                    Token
                )
            ) ?? []
        )
            await verbs.DoneAsync("hold", "remove", $"{hold}");
    }

    /// <summary>An archived session that is not held; what is wrong without one would not show.</summary>
    public async Task<string> AnyArchivedAsync()
    {
        for (var runs = 0; ; runs++)
        {
            var ids = (
                await archiver.Database.ScalarAsync<string[]>(
                    $"SELECT array_agg(a.session_id ORDER BY a.id) FROM archiver.archives AS a WHERE a.state = 'archived' AND NOT {Held}",
                    Token
                )
            ) ?? [];
            if (ids.Length > 0)
                return ids[random.Next(ids.Length)];
            Assert.True(runs < 3, "Nothing can be archived.");
            await verbs.UnlessLockedAsync(["archive", "--max-sessions", "10"]);
        }
    }
}
