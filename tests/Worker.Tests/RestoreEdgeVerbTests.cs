using Archiver.Core.Diagnostics;
using Archiver.Testing;
using Archiver.Testing.Proof;
using Npgsql;
using static Archiver.Worker.Tests.RestoredChat;

namespace Archiver.Worker.Tests;

/// <summary>
/// Restores at the edges: ids that mean two sessions, partitions that are gone, texts with control characters, pools of one.
/// </summary>
public sealed class RestoreEdgeVerbTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_happens_to_the_database_of_to_in_the_middle_is_told_of_it()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        await using var target = await TestDatabase.CreateAsync(servers, Token);
        await ApplicationSchema.InstallAsync(target, "ended-at", Token);
        var id = (await archiver.Database.ScalarAsync<string>("SELECT session_id::text FROM chat_sessions"))!;
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        var name = new NpgsqlConnectionStringBuilder(target.ConnectionString).Database!;
        InProcessFault.Once(FaultPoints.RestoreStaged, () =>
            archiver.Database.ExecuteAsync(
                $"ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS "
                    + $"false; SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'"
            )
        );

        var result = await archiver.RunAsync("restore", id, "--to", target.ConnectionString);

        await archiver.Database.ExecuteAsync($"ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS true", Token);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("(--to)", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("source 'main'", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_id_that_is_ones_key_and_anothers_external_id_means_the_key()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 0, young: 0);
        await archiver.Database.ExecuteAsync(
            """
            CREATE TABLE chat (id text PRIMARY KEY, ext text UNIQUE, updated_at timestamptz NOT NULL);
            CREATE INDEX ON chat (updated_at, id);
            INSERT INTO chat VALUES ('A', 'first', now() - interval '200 days'), ('B', 'A', now() - interval '200 days');
            """,
            Token
        );
        Chat(archiver).With("Sources:main:Tables:Session:ExternalId", "ext");
        await archiver.RunAsync("archive");

        var shown = await archiver.RunAsync("show", "A");
        var result = await archiver.RunAsync("restore", "A");
        var rows = await archiver.Database.CopyOutAsync("SELECT id FROM chat ORDER BY 1");
        var byExternal = await archiver.RunAsync("restore", "first", "--on-conflict", "skip");

        Assert.Contains("\"id\":\"A\"", shown.Output, StringComparison.Ordinal);
        Assert.Equal((0, "A\n"), (result.ExitCode, rows));
        Assert.Contains("1 session there already", byExternal.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_uuid_in_upper_case_is_the_same_session()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        await archiver.RunAsync("archive");
        var id = await archiver.Database.ScalarAsync<string>("SELECT upper(session_id) FROM archiver.archives");

        var shown = await archiver.RunAsync("show", id!);
        var result = await archiver.RunAsync("restore", id!);

        Assert.True((shown.ExitCode, result.ExitCode) == (0, 0), shown.Error + result.Error + result.Output);
        Assert.Equal(1, await archiver.LiveSessionsAsync());
    }

    [Fact]
    public async Task A_partition_that_is_gone_is_named_instead_of_a_constraint()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 0, young: 0);
        await archiver.Database.ExecuteAsync(
            """
            CREATE TABLE chat (id int, updated_at timestamptz NOT NULL, PRIMARY KEY (id)) PARTITION BY RANGE (id);
            CREATE TABLE chat_1 PARTITION OF chat FOR VALUES FROM (1) TO (10);
            CREATE INDEX ON chat (updated_at, id);
            INSERT INTO chat VALUES (1, now() - interval '200 days');
            """,
            Token
        );
        var archived = await Chat(archiver).RunAsync("archive");
        await archiver.Database.ExecuteAsync("DROP TABLE chat_1", Token);

        var result = await archiver.RunAsync("restore", "1");

        Assert.Equal((0, 1), (archived.ExitCode, result.ExitCode));
        Assert.Contains("no partition of public.chat takes its rows today", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Control_characters_of_stored_text_reach_no_terminal()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 0, young: 0);
        await archiver.Database.ExecuteAsync(
            """
            CREATE TABLE chat (id text PRIMARY KEY, body text, updated_at timestamptz NOT NULL);
            CREATE INDEX ON chat (updated_at, id);
            INSERT INTO chat VALUES (E'a\u009b2J\u007f', E'\u00e4\u009b31m\u0085', now() - interval '200 days');
            """,
            Token
        );
        await Chat(archiver).RunAsync("archive");

        ProcessResult[] results =
        [
            await archiver.RunAsync("show", "a\u009b2J\u007f"),
            await archiver.RunAsync("show", "no\u009b2J"),
            await archiver.RunAsync("list"),
            await archiver.RunAsync("list", "--json"),
            await archiver.RunAsync("restore", "a\u009b2J\u007f"),
            await archiver.RunAsync("restore", "a\u009b2J\u007f"),
            await archiver.RunAsync("restore", "a\u009b2J\u007f", "--json"),
        ];

        Assert.All(results, r => Assert.DoesNotContain(r.Output + r.Error, c => c is >= '\u007f' and <= '\u009f'));
        Assert.Equal(
            "\u00e4\u009b31m\u0085",
            System.Text.Json.JsonDocument.Parse(results[0].Output).RootElement.GetProperty("session").GetProperty("body").GetString()
        );
        Assert.Equal((0, 0), (results[0].ExitCode, results[4].ExitCode));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_small_pool_starves_no_verb(int connections)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 0);
        var small = new NpgsqlConnectionStringBuilder(archiver.Database.ConnectionString)
        {
            MaxPoolSize = connections,
            Timeout = 30,
        }.ConnectionString;
        archiver.With("Sources:main:ConnectionString", small);
        await using var copy = await TestDatabase.CreateAsync(servers, Token);
        await ApplicationSchema.InstallAsync(copy, "ended-at", Token);

        var archived = await archiver.RunAsync("archive");
        var id = await archiver.Database.ScalarAsync<string>("SELECT min(session_id) FROM archiver.archives");
        foreach (
            var verb in new string[][]
            {
                ["verify", "--restore-drill", "3"],
                [
                    "restore",
                    id!,
                    "--to",
                    new NpgsqlConnectionStringBuilder(copy.ConnectionString) { MaxPoolSize = connections, Timeout = 30 }.ConnectionString,
                ],
                ["restore", id!],
                ["erase", id!, "--yes"],
            }
        )
        {
            var result = await archiver.RunAsync(verb);
            Assert.True(result.ExitCode == 0, $"{verb[0]}: {result.Error}{result.Output}");
        }
        Assert.Equal(0, archived.ExitCode);
    }
}
