using Archiver.Testing;
using static Archiver.Worker.Tests.RestoredChat;

namespace Archiver.Worker.Tests;

/// <summary>A rehearsal says what the restore would say, and changes nothing.</summary>
public sealed class RestoreRehearsalVerbTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_default_that_makes_a_text_of_a_number_restores_and_its_sequence_stays_where_it_is()
    {
        await using var archiver = await NumberedAsync();

        var drill = await archiver.RunAsync("verify", "--restore-drill", "1");
        var rehearsed = await archiver.RunAsync("restore", "sess_1", "--dry-run");
        var result = await archiver.RunAsync("restore", "sess_1");

        Assert.True(
            (drill.ExitCode, rehearsed.ExitCode, result.ExitCode) == (0, 0, 0),
            drill.Output + rehearsed.Output + result.Error + result.Output
        );
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>("SELECT last_value FROM s"));
        Assert.Equal("sess_2", await archiver.Database.ScalarAsync<string>("INSERT INTO chat (updated_at) VALUES (now()) RETURNING id"));
    }

    [Fact]
    public async Task A_rehearsal_moves_no_sequence_and_says_when_the_restore_may_not()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0);
        await archiver.RunAsync("archive");
        await archiver.Database.ExecuteAsync("ALTER SEQUENCE chat_messages_id_seq RESTART WITH 1", Token);

        var drill = await archiver.RunAsync("verify", "--all", "--restore-drill", "2");
        var rehearsed = await archiver.RunAsync("restore", "--from", "2000-01-01", "--dry-run");
        var before = await archiver.Database.ScalarAsync<string>("SELECT last_value || ' ' || is_called FROM chat_messages_id_seq");
        var result = await archiver.RunAsync("restore", "--from", "2000-01-01");

        Assert.True(
            (drill.ExitCode, rehearsed.ExitCode, result.ExitCode) == (0, 0, 0),
            drill.Output + rehearsed.Output + result.Error + result.Output
        );
        Assert.Equal("1 false", before);
        Assert.Equal(
            await archiver.Database.ScalarAsync<long>("SELECT max(id) FROM chat_messages"),
            await archiver.Database.ScalarAsync<long>("SELECT last_value FROM chat_messages_id_seq")
        );
    }

    [Theory]
    [InlineData(
        "ALTER TABLE chat_messages ADD CONSTRAINT nothing CHECK (content IS NULL) NOT VALID",
        "constraint 'nothing' of public.chat_messages does not allow its rows"
    )]
    [InlineData(
        "CREATE TABLE users (id text PRIMARY KEY); ALTER TABLE chat_sessions ADD CONSTRAINT known FOREIGN KEY (user_id) REFERENCES "
            + "users NOT VALID",
        "constraint 'known' of public.chat_sessions"
    )]
    [InlineData(
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$; CREATE TRIGGER no BEFORE INSERT ON "
            + "chat_messages FOR EACH ROW EXECUTE FUNCTION no()",
        "function no"
    )]
    [InlineData(
        "CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'own' USING ERRCODE = 'AP001'; END $$; CREATE "
            + "TRIGGER own BEFORE INSERT ON chat_messages FOR EACH ROW EXECUTE FUNCTION own()",
        "function own"
    )]
    [InlineData(
        "CREATE TABLE users (id text PRIMARY KEY); ALTER TABLE chat_sessions ADD CONSTRAINT known FOREIGN KEY (user_id) REFERENCES "
            + "users DEFERRABLE INITIALLY DEFERRED NOT VALID",
        "constraint 'known' of public.chat_sessions"
    )]
    [InlineData(
        "CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'late' USING ERRCODE = 'AP001'; END $$; CREATE "
            + "CONSTRAINT TRIGGER late AFTER INSERT ON chat_messages DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late()",
        "function late"
    )]
    public async Task What_would_refuse_a_restore_refuses_its_rehearsals(string change, string reason)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0);
        await archiver.RunAsync("archive");
        await archiver.Database.ExecuteAsync(change, Token);

        var drill = await archiver.RunAsync("verify", "--restore-drill", "2");
        var rehearsed = await archiver.RunAsync("restore", "--from", "2000-01-01", "--dry-run");
        var result = await archiver.RunAsync("restore", "--from", "2000-01-01");

        Assert.All([drill, rehearsed, result], r => Assert.Equal(1, r.ExitCode));
        Assert.All([drill, rehearsed, result], r => Assert.Contains(reason, r.Output, StringComparison.Ordinal));
        Assert.Equal(0, await archiver.LiveSessionsAsync());
    }

    [Theory]
    [InlineData("RAISE 'mine' USING ERRCODE = 'AP001'", "TRIGGER t BEFORE INSERT ON chat_messages FOR EACH ROW")]
    [InlineData(
        "RAISE 'mine' USING ERRCODE = 'AP001'",
        "CONSTRAINT TRIGGER t AFTER INSERT ON chat_messages DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
    )]
    [InlineData("INSERT INTO gone VALUES (1)", "TRIGGER t BEFORE INSERT ON chat_messages FOR EACH ROW")]
    public async Task One_session_that_a_trigger_refuses_stops_no_other(string body, string trigger)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 0);
        var rows = await archiver.RowsAsync();
        var id = await archiver.Database.ScalarAsync<string>("SELECT max(session_id::text) FROM chat_sessions");
        await archiver.RunAsync("archive");
        await archiver.Database.ExecuteAsync(
            $"CREATE FUNCTION mine() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN NEW; END "
                + $"$$; CREATE {trigger} WHEN (NEW.session_id = '{id}') EXECUTE FUNCTION mine()",
            Token
        );

        var rehearsed = await archiver.RunAsync("restore", "--from", "2000-01-01", "--dry-run");
        var result = await archiver.RunAsync("restore", "--from", "2000-01-01");

        Assert.All([rehearsed, result], r => Assert.Equal(1, r.ExitCode));
        Assert.Contains("2 sessions would be restored", rehearsed.Output, StringComparison.Ordinal);
        Assert.All([rehearsed, result], r => Assert.Contains("function mine", r.Output, StringComparison.Ordinal));
        Assert.Equal(2, await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM chat_sessions WHERE session_id <> '{id}'"));
        await archiver.Database.ExecuteAsync("DROP TRIGGER t ON chat_messages", Token);
        Assert.Equal(0, (await archiver.RunAsync("restore", id!)).ExitCode);
        Assert.Equal(rows, await archiver.RowsAsync());
    }

    /// <summary>One session whose key is a text around a number of a sequence, archived.</summary>
    private async Task<Installation> NumberedAsync()
    {
        var archiver = await Installation.CreateAsync(servers, Token, idle: 0, young: 0);
        await archiver.Database.ExecuteAsync(
            """
            CREATE SEQUENCE s;
            CREATE TABLE chat (id text PRIMARY KEY DEFAULT 'sess_' || nextval('s'), updated_at timestamptz NOT NULL);
            CREATE INDEX ON chat (updated_at, id);
            INSERT INTO chat (updated_at) VALUES (now() - interval '200 days');
            """,
            Token
        );
        Assert.Equal(0, (await Chat(archiver).RunAsync("archive")).ExitCode);
        return archiver;
    }
}
