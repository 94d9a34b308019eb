using System.Text.Json;
using Archiver.Core.Settings;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Readers;

/// <summary>A bundle is read by programs that know nothing of the archiver: that is what makes an archive outlive it.</summary>
public sealed class BundleReaderTests(TestServers servers) : IAsyncLifetime
{
    private const string Idle = "last_activity < now() - interval '90 days'";

    private const string Sums = $"""
        SELECT coalesce(s.user_id, '-') AS "user", count(DISTINCT s.session_id) AS sessions, count(*) AS counted, count(*) AS messages,
               coalesce(sum(m.token_count), 0) AS tokens, sum(length(m.content)) AS characters
        FROM chat_sessions AS s
        JOIN chat_messages AS m USING (session_id)
        WHERE s.{Idle}
        GROUP BY 1
        ORDER BY coalesce(s.user_id, '-') COLLATE "C"
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("archiver-readers-");
    private ArchiverFixture _archiver = null!;
    private List<JsonElement> _rows = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 60, young: 5, messages: 6, configure: s =>
            s with
            {
                Storage = s.Storage with { Layout = StorageLayout.Bundle, BundleBytes = 20_000 },
            }
        );
        _rows = Lines(
            await _archiver.Database.ScalarAsync<string>($"SELECT string_agg(row_to_json(r)::text, E'\\n') FROM ({Sums}) AS r", Token)
        );
        Assert.Equal(60, (await _archiver.RunAsync(Token)).Sessions);
        var keys = await _archiver.Bucket.ListKeysAsync("chat_archives/bundles/", Token);
        Assert.True(keys.Count > 2, "One bundle would not show that a folder of them is read.");
        foreach (var key in keys)
            await File.WriteAllBytesAsync(
                Path.Combine(_folder.FullName, Path.GetFileName(key)),
                await _archiver.Bucket.GetRawAsync(key, Token),
                Token
            );
    }

    public async ValueTask DisposeAsync()
    {
        await _archiver.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Zcat_gives_a_line_for_each_session()
    {
        var text = await ForeignReader.RunAsync(
            "bash",
            "apt-get install bash gzip",
            ["-c", "zcat \"$0\"/*.jsonl.gz", _folder.FullName],
            Token
        );

        Assert.Equal(60, Lines(text).Select(d => d.GetProperty("session").GetProperty("session_id").GetString()).Distinct().Count());
    }

    [Fact]
    public async Task Python_sums_up_what_the_rows_held()
    {
        var found = Assert.Single(
            Lines(
                await ForeignReader.RunAsync(
                    "python3",
                    "apt-get install python3",
                    [ForeignReader.Script("python.py"), _folder.FullName],
                    Token
                )
            )
        );

        Assert.Equal(60, found.GetProperty("sessions").GetInt64());
        foreach (var name in (string[])["sessions", "messages", "tokens", "characters"])
            Assert.Equal(_rows.Sum(r => r.GetProperty(name).GetInt64()), found.GetProperty(name).GetInt64());
    }

    [Fact]
    public async Task DuckDB_joined_with_the_ledger_gives_the_counts_and_sums_of_the_rows()
    {
        ForeignReader.RequirePackage("@duckdb/node-api");
        var ledger = Path.Combine(_folder.FullName, "ledger.csv");
        await File.WriteAllTextAsync(
            ledger,
            "session_id,generation,user_id,message_count\n"
                + (
                    await _archiver.Database.ScalarAsync<string>(
                        "SELECT string_agg(concat_ws(',', a.session_id, a.generation, coalesce(a.user_id, ''), a.message_count), E'\\n') "
                            + "FROM archiver.archives AS a WHERE a.state = 'archived'",
                        Token
                    )
                ),
            Token
        );

        var found = Lines(
            await ForeignReader.RunAsync(
                "node",
                "apt-get install nodejs npm",
                [ForeignReader.Script("duckdb.mjs"), _folder.FullName, ledger],
                Token
            )
        );

        Assert.True(_rows.Count > 3, "Too few users to tell a join from none.");
        Assert.Equal(_rows.Select(Text), found.Select(Text));
    }

    private static string Text(JsonElement row) => string.Join(' ', row.EnumerateObject().Select(p => $"{p.Name}={p.Value}"));

    private static List<JsonElement> Lines(string? text) =>
        [.. (text ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement)];
}
