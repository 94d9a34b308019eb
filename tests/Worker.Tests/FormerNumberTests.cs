using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>Sessions of ann and bob went by the texts 007 and 7; since the key is a number, 7 is bob's and 007 is nobody's row.</summary>
public sealed class FormerNumberTests(TestServers servers) : FormerKeys(servers)
{
    [Fact]
    public async Task An_erasure_of_an_id_that_reads_like_anothers_takes_nothing_of_the_others_session()
    {
        await using var archiver = await TextsAsync();
        await DoneAsync(archiver, "archive");
        await BecomeNumbersAsync(archiver);

        await DoneAsync(archiver, "erase", "--user", "ann", "--yes");

        Assert.Equal("7 bob", await archiver.Database.ScalarAsync<string>("SELECT string_agg(id || ' ' || usr, ',') FROM chats", Token));
        Assert.Equal(2, await archiver.Database.ScalarAsync<int>("SELECT min(id) FROM posts", Token));
    }

    [Fact]
    public async Task A_hold_on_the_session_that_an_id_reads_like_keeps_nobody_elses_from_being_erased()
    {
        await using var archiver = await TextsAsync();
        await DoneAsync(archiver, "archive");
        await BecomeNumbersAsync(archiver);
        await DoneAsync(archiver, "hold", "add", "--user", "bob", "--reason", "case");

        await DoneAsync(archiver, "erase", "--user", "ann", "--yes");

        Assert.Equal("0", await OfLedgerAsync(archiver, "count(*) FILTER (WHERE state <> 'erased')"));
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chats", Token));
    }

    /// <summary>The ledger is lost, so that nothing but the copy itself says whose it is.</summary>
    [Fact]
    public async Task A_copy_that_only_the_bucket_knows_is_erased_though_its_id_reads_like_a_live_one()
    {
        await using var archiver = await TextsAsync();
        await DoneAsync(archiver, "archive");
        await archiver.Database.ExecuteAsync("DELETE FROM archiver.archives; DELETE FROM archiver.objects", Token);
        await BecomeNumbersAsync(archiver);

        var erased = await DoneAsync(archiver, "erase", "--user", "ann", "--yes", "--json");

        Assert.Contains("\"complete\":true", erased.Output.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal("7 bob", await archiver.Database.ScalarAsync<string>("SELECT string_agg(id || ' ' || usr, ',') FROM chats", Token));
    }

    [Fact]
    public async Task What_waits_for_its_delete_under_an_id_that_reads_like_a_live_one_is_counted_by_no_dry_run()
    {
        await using var archiver = await TextsAsync();
        archiver.With("Sources:main:Tables:Session:Archived", "archived").With("Sources:main:Policies:idle:DeleteAfter", "1d");
        await DoneAsync(archiver, "archive");
        Assert.Equal("stored 1", await OfLedgerAsync(archiver, "min(state) || ' ' || count(*)"));
        await archiver.Database.ExecuteAsync("DELETE FROM chats WHERE id = '007'", Token);
        await BecomeNumbersAsync(archiver);
        await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET stored_at = now() - interval '2 days'", Token);

        var dry = await archiver.With("Sources:main:Policies:idle:DryRun", "true").RunAsync("archive", "--json");

        Assert.True(dry.ExitCode == 0, dry.Error);
        Assert.Contains("\"selected\":0,", dry.Output.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    private Task<Installation> TextsAsync() =>
        CreateAsync(
            """
            CREATE TABLE chats (id text PRIMARY KEY, usr text, seen timestamptz NOT NULL, archived boolean NOT NULL DEFAULT false);
            CREATE TABLE posts (id int PRIMARY KEY, chat_id text NOT NULL);
            CREATE INDEX ON posts (chat_id); CREATE INDEX ON chats (seen, id);
            INSERT INTO chats VALUES ('007', 'ann', now() - interval '200 days'), ('7', 'bob', now());
            INSERT INTO posts VALUES (1, '007'), (2, '7');
            """
        );

    private static async Task BecomeNumbersAsync(Installation archiver)
    {
        await archiver.Database.ExecuteAsync(
            "DELETE FROM posts WHERE chat_id NOT IN (SELECT id FROM chats); ALTER TABLE chats ALTER id TYPE bigint USING id::bigint; "
                + "ALTER TABLE posts ALTER chat_id TYPE bigint USING chat_id::bigint",
            Token
        );
        await DoneAsync(archiver, "source", "rename", "main", "main");
    }
}
