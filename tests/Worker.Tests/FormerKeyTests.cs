using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>The ledger has ids from the time when the key had another type, or was another column.</summary>
public sealed class FormerKeyTests(TestServers servers) : FormerKeys(servers)
{
    private const string Former = "chat-1",
        Id = "11111111-aaaa-4aaa-8aaa-aaaaaaaaaaa1";

    [Fact]
    public async Task Archives_from_before_the_key_was_a_uuid_stop_neither_an_erasure_of_their_user_nor_a_run()
    {
        await using var archiver = await TextsAsync();
        await DoneAsync(archiver, "archive");
        await BecomeUuidsAsync(archiver);

        await DoneAsync(archiver, "archive");
        var plan = await archiver.RunAsync("erase", "--user", "ann");
        var erased = await DoneAsync(archiver, "erase", "--user", "ann", "--yes", "--json");

        Assert.Contains("0 rows, 2 archives", plan.Output, StringComparison.Ordinal);
        Assert.Contains("\"complete\":true", erased.Output.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal("0", await OfLedgerAsync(archiver, "count(*) FILTER (WHERE state <> 'erased')"));
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chats", Token));
    }

    [Fact]
    public async Task A_restore_of_a_user_and_a_drill_take_what_todays_key_can_have_and_name_the_rest()
    {
        await using var archiver = await TextsAsync();
        await DoneAsync(archiver, "archive");
        await BecomeUuidsAsync(archiver);

        var drill = await archiver.RunAsync("verify", "--restore-drill", "10");
        var restored = await archiver.RunAsync("restore", "--user", "ann");
        var reconciled = await archiver.RunAsync("reconcile", "--fix", "--yes");

        foreach (var result in new[] { drill, restored })
        {
            Assert.True(result.ExitCode == 1, result.Error + result.Output);
            Assert.Contains(Former, result.Output + result.Error, StringComparison.Ordinal);
        }
        Assert.True(reconciled.ExitCode == 0, reconciled.Error + reconciled.Output);
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM chats WHERE id = '{Id}'", Token));
    }

    [Theory]
    [InlineData("Delete", "Nothing")]
    [InlineData("DeleteAfter", "1d")]
    public async Task What_is_stored_under_numbers_stops_no_run_once_sessions_go_by_uuids(string key, string value)
    {
        await using var archiver = await CreateAsync(
            """
            CREATE TABLE chats (id bigint PRIMARY KEY, uid uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(), usr text,
              seen timestamptz NOT NULL, archived boolean NOT NULL DEFAULT false);
            CREATE TABLE posts (id int PRIMARY KEY, chat_id bigint NOT NULL REFERENCES chats, chat_uid uuid REFERENCES chats (uid));
            CREATE INDEX ON posts (chat_id); CREATE INDEX ON posts (chat_uid); CREATE INDEX ON chats (seen, id);
            CREATE INDEX ON chats (seen, uid);
            INSERT INTO chats (id, usr, seen) SELECT n, 'ann', now() - interval '200 days' FROM generate_series(41, 43) AS n;
            INSERT INTO posts SELECT c.id, c.id, c.uid FROM chats AS c;
            """
        );
        archiver.With("Sources:main:Tables:Session:Archived", "archived").With($"Sources:main:Policies:idle:{key}", value);
        await DoneAsync(archiver, "archive");
        Assert.Equal("stored 3", await OfLedgerAsync(archiver, "min(state) || ' ' || count(*)"));
        archiver
            .With("Sources:main:Tables:Session:Key", "uid")
            .With("Sources:main:Tables:Children:messages:ForeignKey", "chat_uid")
            .With("Sources:main:Tables:Children:messages:ParentKey", "uid");
        await DoneAsync(archiver, "source", "rename", "main", "main");
        await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET stored_at = now() - interval '2 days'", Token);

        await DoneAsync(archiver, "archive");

        Assert.Equal(
            "superseded deleted by the application 3",
            await OfLedgerAsync(
                archiver,
                "min(state || ' ' || reason) FILTER (WHERE length(session_id) = 2) || ' ' || count(*) "
                    + "FILTER (WHERE length(session_id) = 2 AND state = 'superseded')"
            )
        );
        Assert.Equal(3, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chats", Token));
    }

    /// <summary>Two archived sessions of one user, one of them under an id that is a uuid, and a live one of another.</summary>
    private async Task<Installation> TextsAsync() =>
        await CreateAsync(
            $"""
            CREATE TABLE chats (id text PRIMARY KEY, usr text, seen timestamptz NOT NULL);
            CREATE TABLE posts (id int PRIMARY KEY, chat_id text NOT NULL REFERENCES chats);
            CREATE INDEX ON posts (chat_id); CREATE INDEX ON chats (seen, id);
            INSERT INTO chats VALUES ('{Former}', 'ann', now() - interval '200 days'), ('{Id}', 'ann', now() - interval '200 days'),
              (gen_random_uuid()::text, 'bob', now());
            INSERT INTO posts VALUES (1, '{Former}'), (2, '{Id}');
            """
        );

    private static async Task BecomeUuidsAsync(Installation archiver)
    {
        await archiver.Database.ExecuteAsync(
            """
            ALTER TABLE posts DROP CONSTRAINT posts_chat_id_fkey;
            ALTER TABLE chats ALTER id TYPE uuid USING id::uuid;
            ALTER TABLE posts ALTER chat_id TYPE uuid USING chat_id::uuid, ADD FOREIGN KEY (chat_id) REFERENCES chats;
            """,
            Token
        );
        await DoneAsync(archiver, "source", "rename", "main", "main");
    }
}
