using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>
/// One table of messages is the whole chat, as LangChain, Flowise and Spring AI keep it: a session is the rows of one key, and has none of
/// its own.
/// </summary>
public sealed class RowlessSessionTests(TestServers servers) : RowlessChats(servers)
{
    [Theory]
    [InlineData("timestamptz", null, "{0}", "text")]
    [InlineData("bigint", "epoch-ms", "(extract(epoch FROM {0}) * 1000)::bigint", "varchar(255)")]
    [InlineData("text", "text", "to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')", "uuid")]
    public async Task Sessions_are_archived_restored_rebuilt_and_erased_by_their_key(string type, string? form, string value, string key)
    {
        await using var archiver = await CreateAsync(type, form, value, key);
        var rows = await RowsAsync(archiver);

        Assert.Equal(0, (await archiver.RunAsync("plan")).ExitCode);
        var archived = await archiver.RunAsync("archive");
        Assert.True(archived.ExitCode == 0, archived.Error + archived.Output);
        Assert.Equal(
            6,
            await archiver.Database.ScalarAsync<long>(
                "SELECT rows_deleted FROM archiver.runs WHERE policy = 'idle' ORDER BY started_at DESC LIMIT 1",
                Token
            )
        );
        // 3 got a message lately; rows without a key are nobody's.
        Assert.Equal("-,3", await KeysAsync(archiver));
        Assert.Equal(
            "1 2 200 210, 2 2 200 210",
            await archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(right(session_id, 1) || ' "
                    + "' || message_count || ' ' || round(extract(epoch FROM now() - session_last_activity) / 86400) || ' ' || "
                    + "round(extract(epoch FROM now() - session_first_activity) / 86400), ', ' ORDER BY session_id) FROM archiver.archives",
                Token
            )
        );
        var verified = await archiver.RunAsync("verify", "--all", "--restore-drill", "2");
        Assert.True(verified.ExitCode == 0, verified.Error + verified.Output);
        var reconciled = await archiver.RunAsync("reconcile");
        Assert.True(reconciled.ExitCode == 0, reconciled.Error + reconciled.Output);
        Assert.Equal(0, (await archiver.RunAsync("status")).ExitCode);
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE", Token);
        Assert.Equal(0, (await archiver.RunAsync("ledger", "rebuild")).ExitCode);
        Assert.Equal(
            "archived archived",
            await archiver.Database.ScalarAsync<string>("SELECT string_agg(state, ' ') FROM archiver.archives", Token)
        );

        var restored = await archiver.RunAsync("restore", Key(1), Key(2));
        Assert.True(restored.ExitCode == 0, restored.Error + restored.Output);
        Assert.Contains(" 6 rows", restored.Output, StringComparison.Ordinal);
        Assert.Equal(rows, await RowsAsync(archiver));
        await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET restored_at = now() - interval '60 days'", Token);
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        var erased = await archiver.RunAsync("erase", Key(1), "--yes");
        Assert.True(erased.ExitCode == 0, erased.Error + erased.Output);
        Assert.Equal(0, (await archiver.RunAsync("erase", Key(3), "--yes")).ExitCode);
        Assert.Equal("-", await KeysAsync(archiver));
        Assert.Equal(0, (await archiver.RunAsync("restore", Key(2))).ExitCode);
        Assert.Equal("-,2", await KeysAsync(archiver));
    }

    [Fact]
    public async Task What_came_since_under_the_same_key_stays_beside_the_restored_rows_and_makes_the_next_archive()
    {
        await using var archiver = await CreateAsync("timestamptz", null, "{0}", "text");
        archiver.With("Storage:Verify", "TrialRestore");
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        await archiver.Database.ExecuteAsync(
            $"INSERT INTO messages (session_id, body, at) VALUES ('{Key(1)}', 'again', now() - interval '150 days')",
            Token
        );

        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        Assert.Equal(
            "1 2",
            await archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(generation::text, ' ' ORDER BY generation) "
                    + $"FROM archiver.archives WHERE session_id = '{Key(1)}' AND state = 'archived'",
                Token
            )
        );
        Assert.Equal(0, (await archiver.RunAsync("restore", Key(1))).ExitCode);
        var older = await archiver.RunAsync("restore", Key(1), "--generation", "1");

        Assert.True(older.ExitCode == 0, older.Error + older.Output);
        Assert.Equal(3, await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM messages WHERE session_id = '{Key(1)}'", Token));
        // What is there gives way to the older version, which is archived first.
        var replaced = await archiver.RunAsync("restore", Key(1), "--generation", "2", "--on-conflict", "replace");
        Assert.True(replaced.ExitCode == 0, replaced.Error + replaced.Output);
        Assert.Equal(
            "again",
            await archiver.Database.ScalarAsync<string>($"SELECT string_agg(body, ',') FROM messages WHERE session_id = '{Key(1)}'", Token)
        );
        Assert.Equal(0, (await archiver.RunAsync("restore", Key(1), "--generation", "1")).ExitCode);
        // The same again changes nothing.
        Assert.Equal(0, (await archiver.RunAsync("restore", Key(1), "--generation", "1", "--on-conflict", "skip")).ExitCode);
        Assert.Equal(3, await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM messages WHERE session_id = '{Key(1)}'", Token));
    }

    [Fact]
    public async Task One_number_is_one_session_however_its_rows_write_it()
    {
        await using var archiver = await CreateAsync("timestamptz", null, "{0}", "text");
        foreach (var table in new[] { "messages", "notes" })
            await archiver.Database.ExecuteAsync(
                $"ALTER TABLE {table} ALTER COLUMN session_id TYPE numeric USING (right(session_id, 1) || repeat('.', id % 2) || "
                    + "repeat('0', id % 2))::numeric",
                Token
            );
        Assert.Equal(0, (await archiver.RunAsync("hold", "add", "--session", "2.00", "--reason", "case")).ExitCode);

        var archived = await archiver.RunAsync("archive");

        Assert.True(archived.ExitCode == 0, archived.Error + archived.Output);
        Assert.Equal(
            "2,3",
            await archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(DISTINCT trim_scale(session_id)::text, ',') FROM messages",
                Token
            )
        );
        Assert.Equal("1", await archiver.Database.ScalarAsync<string>("SELECT string_agg(session_id, ',') FROM archiver.archives", Token));
    }

    private static async Task<string> RowsAsync(Installation archiver) =>
        await archiver.Database.CopyOutAsync("SELECT * FROM messages ORDER BY id")
        + await archiver.Database.CopyOutAsync("SELECT * FROM notes ORDER BY id");
}
