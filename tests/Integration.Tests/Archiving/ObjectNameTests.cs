using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Integration.Tests.Proof;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Archiving;

/// <summary>
/// An object is never overwritten, whatever stands under the key or whatever the bucket ignores (docs/protocol.md rule 20).
/// </summary>
public sealed class ObjectNameTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Takes_the_next_name_where_somebody_elses_object_stands()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0);
        var session = await archiver.AnyIdleAsync(Token);
        var month = await archiver.Database.ScalarAsync<string>(
            $"SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY/MM') FROM chat_sessions WHERE session_id = '{session}'"
        );
        var key = $"chat_archives/{month}/{session}.json.gz";
        await archiver.Bucket.PutRawAsync(key, [1, 2, 3]);

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Done, 3L), (summary.Outcome, summary.Sessions));
        Assert.Equal([1, 2, 3], await archiver.Bucket.GetRawAsync(key));
        Assert.Equal(
            $"chat_archives/{month}/{session}~2.json.gz",
            await archiver.Database.ScalarAsync<string>($"SELECT key FROM archiver.objects WHERE members = ARRAY['{session}']")
        );
    }

    [Fact]
    public async Task Takes_a_name_that_the_ledger_does_not_know_after_it_had_to_pass_over_one()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0);
        var session = await archiver.AnyIdleAsync(Token);
        var month = await archiver.Database.ScalarAsync<string>(
            $"SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY/MM') FROM chat_sessions WHERE session_id = '{session}'"
        );
        await archiver.Bucket.PutRawAsync($"chat_archives/{month}/{session}.json.gz", [1, 2, 3]);
        await archiver.Database.ExecuteAsync($"CREATE TABLE kept AS SELECT * FROM chat_sessions WHERE session_id = '{session}'");
        await archiver.RunAsync(Token);

        foreach (var expected in new[] { "~3", "~4" })
        {
            await archiver.Database.ExecuteAsync("INSERT INTO chat_sessions SELECT * FROM kept");
            var summary = await archiver.RunAsync(Token);

            Assert.Null(summary.Error);
            Assert.Equal((RunOutcome.Done, 1L), (summary.Outcome, summary.Sessions));
            Assert.Equal(
                $"chat_archives/{month}/{session}{expected}.json.gz",
                await archiver.Database.ScalarAsync<string>(
                    $"SELECT key FROM archiver.objects WHERE members = ARRAY['{session}'] ORDER BY id DESC LIMIT 1"
                )
            );
        }
    }

    [Fact]
    public async Task Uses_names_that_nobody_else_can_choose_where_the_bucket_ignores_conditions()
    {
        await using var versioned = await TestBucket.CreateAsync(servers, Token, versioned: true);
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0, configure: s =>
            s with
            {
                Storage = versioned.Settings,
            }
        );

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Done, 3L), (summary.Outcome, summary.Sessions));
        Assert.Equal(
            3,
            await archiver.Database.ScalarAsync<long>(
                "SELECT count(*) FROM archiver.objects WHERE key ~ '/[0-9a-f-]{36}~[0-9a-f]{16}\\.json\\.gz$' AND version_id IS NOT NULL"
            )
        );
    }

    [Theory]
    [InlineData(StorageLayout.Session, false)]
    [InlineData(StorageLayout.Session, true)]
    [InlineData(StorageLayout.Bundle, false)]
    [InlineData(StorageLayout.Bundle, true)]
    public async Task Takes_other_names_when_nobody_knows_whether_the_first_were_recorded(StorageLayout layout, bool versioned)
    {
        await using var relay = RelayedSource.RelayTo(servers);
        await using var archiver = await ArchiverFixture.CreateAsync(
            servers,
            Token,
            idle: 3,
            young: 0,
            configure: s => s.Through(relay) with { Storage = s.Storage with { Layout = layout } },
            versioned: versioned
        );
        relay.LoseAnswerTo("INSERT INTO archiver.objects");

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((1, RunOutcome.Done, null, 3L), (relay.Lost, summary.Outcome, summary.Error, summary.Sessions));
        Assert.Equal(
            layout == StorageLayout.Bundle ? "abandoned 1, stored 1" : "abandoned 3, stored 3",
            await archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(state || ' ' || n, ', ' ORDER BY state) "
                    + "FROM (SELECT state, count(*) AS n FROM archiver.objects GROUP BY state) AS o"
            )
        );
    }

    [Fact]
    public async Task Archives_into_a_folder()
    {
        var folder = Directory.CreateTempSubdirectory("archiver-test-");
        try
        {
            await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0, configure: s =>
                s with
                {
                    Storage = new StorageSettings { Provider = StorageProvider.File, Path = folder.FullName },
                }
            );

            var summary = await archiver.RunAsync(Token);

            Assert.Equal((RunOutcome.Done, 3L), (summary.Outcome, summary.Sessions));
            var keys = Directory
                .GetFiles(folder.FullName, "*.json.gz", SearchOption.AllDirectories)
                .Select(f => Path.GetRelativePath(folder.FullName, f))
                .ToLookup(k => k.StartsWith("chat_archives/.archiver/manifests/", StringComparison.Ordinal));
            Assert.Equal(
                await archiver.Database.CopyOutAsync("SELECT key FROM archiver.objects ORDER BY key COLLATE \"C\""),
                string.Concat(keys[false].Order(StringComparer.Ordinal).Select(k => $"{k}\n"))
            );
            Assert.Equal(3, keys[false].Count());
            Assert.Single(keys[true]);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Archives_a_session_of_many_megabytes_by_parts()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0);
        var session = await archiver.AnyIdleAsync(Token);
        await archiver.ExecuteAsync(
            """
            INSERT INTO chat_messages (session_id, role, content, timestamp)
            SELECT $1, 'user', (SELECT string_agg(encode(sha256(convert_to(n || '/' || i, 'UTF8')), 'base64'), '')
              FROM generate_series(1, 25000) AS i), now() - interval '200 days'
            FROM generate_series(1, 40) AS n
            """,
            session
        );

        var summary = await archiver.RunAsync(Token);

        Assert.Null(summary.Error);
        Assert.Equal((RunOutcome.Done, 3L), (summary.Outcome, summary.Sessions));
        Assert.InRange(
            await archiver.Database.ScalarAsync<long>($"SELECT length FROM archiver.objects WHERE members = ARRAY['{session}']"),
            20_000_000,
            80_000_000
        );
    }
}
