using Archiver.Testing;
using Npgsql;

namespace Archiver.Worker.Tests;

/// <summary>Sessions without a row of their own that are in use or held stay.</summary>
public sealed class RowlessKeepTests(TestServers servers) : RowlessChats(servers)
{
    [Fact]
    public async Task A_session_in_use_and_one_that_gets_a_message_meanwhile_stay()
    {
        await using var archiver = await CreateAsync("timestamptz", null, "{0}", "text");
        await using var other = await archiver.Database.DataSource.OpenConnectionAsync(Token);
        await using var transaction = await other.BeginTransactionAsync(Token);
        await using (
            var command = new NpgsqlCommand($"SELECT FROM messages WHERE session_id = '{Key(1)}' LIMIT 1 FOR UPDATE", other, transaction)
        )
            await command.ExecuteNonQueryAsync(Token);
        // A writer whom no row of the session holds up: here a trigger plays it, between the delete of the first row and the end of the
        // statement.
        await archiver.Database.ExecuteAsync(
            $"""
            CREATE EXTENSION IF NOT EXISTS dblink;
            CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              IF OLD.session_id = '{Key(2)}' THEN
                PERFORM public.dblink_exec('{archiver.Database.ConnectionString.Replace("Host=", "host=", StringComparison.Ordinal).Replace(
                "Port=",
                "port=",
                StringComparison.Ordinal
            ).Replace("Username=", "user=", StringComparison.Ordinal).Replace("Password=", "password=", StringComparison.Ordinal).Replace(
                "Database=",
                "dbname=",
                StringComparison.Ordinal
            ).Replace(';', ' ')}',
                  'INSERT INTO messages (session_id, body, at) VALUES (''{Key(2)}'', ''late'', now())');
              END IF;
              RETURN OLD; END $$;
            CREATE TRIGGER late BEFORE DELETE ON messages FOR EACH ROW EXECUTE FUNCTION late();
            """,
            Token
        );

        var run = await archiver.RunAsync("archive");

        Assert.Equal("-,1,2,3", await KeysAsync(archiver));
        Assert.Equal(
            0,
            await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'archived'", Token)
        );
        Assert.Equal(0, run.ExitCode);
    }

    [Fact]
    public async Task Nothing_of_a_session_that_a_range_of_time_holds_is_archived_or_purged()
    {
        await using var archiver = await CreateAsync("timestamptz", null, "{0}", "text");
        archiver.With("Sources:main:Policies:gone:Action", "Purge").With("Sources:main:Policies:gone:IdleFor", "100d");
        Assert.Equal(0, (await archiver.RunAsync("hold", "add", "--session", Key(1), "--reason", "case")).ExitCode);

        Assert.Equal(0, (await archiver.RunAsync("purge")).ExitCode);

        Assert.Equal("-,1,3", await KeysAsync(archiver));
        Assert.Equal(
            "3",
            await archiver.Database.ScalarAsync<string>(
                "SELECT rows_deleted::text FROM archiver.runs WHERE policy = 'gone' ORDER BY started_at DESC LIMIT 1",
                Token
            )
        );
    }
}
