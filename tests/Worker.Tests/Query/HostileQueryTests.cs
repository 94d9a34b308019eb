using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Worker.Tests.Query;

/// <summary>SQL that wants more than to read the archive: one clear sentence, the right code, and nothing told.</summary>
public sealed class HostileQueryTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Opens_nothing_and_writes_nothing()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        await archiver.RunAsync("archive");
        var folder = Directory.CreateTempSubdirectory("archiver-test-").FullName;
        (int Code, string Sql)[] hostile =
        [
            (2, $"COPY (SELECT 1) TO '{folder}/a.csv'"),
            (2, $"COPY messages TO '{folder}/b.parquet'"),
            (2, $"ATTACH '{folder}/c.db'"),
            (2, $"EXPORT DATABASE '{folder}/d'"),
            (2, "INSTALL httpfs"),
            (2, "LOAD httpfs"),
            (2, "SET enable_external_access = true"),
            (2, "PRAGMA enable_external_access"),
            (2, "SET lock_configuration = false"),
            (2, "CREATE TABLE x (a int)"),
            (2, "DROP VIEW messages"),
            (2, "CALL enable_logging()"),
            (2, "CREATE SECRET s (TYPE s3)"),
            (2, "SELECT 1; SELECT 2"),
            (2, "EXPLAIN ANALYZE SELECT 1"),
            (2, $"SELECT 1) TO '{folder}/e.csv' --"),
            (2, "SELECT 1 FROM (SELECT 2"),
            (2, ""),
            (2, "SELECT getenv('HOME')"),
            (2, "SELECT $1"),
            (2, $"FROM json_execute_serialized_sql('{{\"x\":1}}')"),
            (3, "SELECT * FROM read_text('/etc/passwd')"),
            (3, "SELECT * FROM read_blob('/etc/hostname')"),
            (3, "SELECT * FROM read_csv('/etc/passwd')"),
            (3, "SELECT * FROM read_json('/proc/self/environ')"),
            (3, "SELECT * FROM glob('/etc/*')"),
            (3, "SELECT * FROM read_parquet('https://example.com/a.parquet')"),
            (3, "SELECT * FROM sniff_csv('/etc/passwd')"),
            (3, "SELECT * FROM parquet_metadata('/etc/passwd')"),
            (3, "SELECT * FROM read_csv('/dev/stdin')"),
            (3, "SELECT * FROM query('FROM read_text(''/etc/passwd'')')"),
            (2, "SELECT * FROM '/etc/passwd'"),
        ];
        var outcomes = new List<string>();
        foreach (var (code, sql) in hostile)
        {
            var result = await archiver.RunAsync("query", sql, "--json");
            if (
                (result.ExitCode, result.Output) != (code, "")
                || result.Error.Contains("root:", StringComparison.Ordinal)
                || !result.Error.Contains("archiver: ", StringComparison.Ordinal)
                || result.Error.Contains("Unexpected", StringComparison.Ordinal)
            )
                outcomes.Add($"{sql}: {result.ExitCode} {result.Output} {result.Error}");
        }
        Assert.Empty(outcomes);
        Assert.Empty(Directory.GetFileSystemEntries(folder));
        Directory.Delete(folder);
    }

    [Fact]
    public async Task Says_nothing_that_was_written_or_asked()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        await archiver.Database.ExecuteAsync("UPDATE chat_messages SET content = 'whispered'");
        await archiver.RunAsync("archive");

        var cast = await archiver.RunAsync("query", "SELECT content::int FROM messages WHERE content <> 'shouted'");

        Assert.Equal((1, ""), (cast.ExitCode, cast.Output));
        Assert.DoesNotContain("whispered", cast.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("shouted", cast.Error, StringComparison.Ordinal);
        Assert.Contains(
            "Conversion Error: a value cannot be read to INT32 when casting from source column content",
            cast.Error,
            StringComparison.Ordinal
        );
    }

    // DuckDB quotes values in single quotes, in double ones, and in none.
    [Fact]
    public async Task Says_nothing_that_was_written_whatever_a_value_fails_in()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        await archiver.Database.ExecuteAsync("UPDATE chat_messages SET content = '[whispered'");
        await archiver.RunAsync("archive");
        string[] failing =
        [
            "content::DATE",
            "content::DECIMAL(3,1)",
            "to_json(content)::INT",
            "json(content)",
            "json_extract(content, '$.x')",
            "strptime(content, '%Y')",
            "error(content)",
            "from_base64(content)",
            "date_part(content, DATE '2020-01-01')",
            "date_trunc(content, DATE '2020-01-01')",
            "regexp_matches('x', content)",
            "strftime(now(), '%Q' || content)",
            "timezone(content, now())",
            "content::STRUCT(a INT)",
            "content::INTERVAL",
            "content::UUID",
            "content::BIT",
            "unhex(content)",
            "content::INT[]",
            "content::MAP(VARCHAR, INT)",
            "CAST('x' || content AS ENUM('a'))",
            "date_diff(content, now(), now())",
            "content::TIMESTAMPTZ",
        ];
        var said = new List<string>();
        foreach (var sql in failing)
        {
            var result = await archiver.RunAsync("query", $"SELECT {sql} FROM messages");
            if (
                result.ExitCode is not (1 or 2)
                || result.Output.Length > 0
                || result.Error.Contains("whispered", StringComparison.Ordinal)
                || !result.Error.Contains("The SQL cannot be run: ", StringComparison.Ordinal)
            )
                said.Add($"{sql}: {result.ExitCode} {result.Output} {result.Error}");
        }
        Assert.Empty(said);
    }

    [Theory]
    [InlineData("Session", "query", "SELECT count(*) FROM messages")]
    [InlineData("Bundle", "query", "SELECT 1")]
    [InlineData("Bundle", "search", "e")]
    public async Task Names_a_damaged_object_and_answers_nothing(string layout, string verb, string asked)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 5, young: 0);
        await archiver.With("Storage:Layout", layout).RunAsync("archive");
        var key = (await archiver.Database.ScalarAsync<string>("SELECT key FROM archiver.objects ORDER BY id DESC LIMIT 1"))!;
        var bytes = await archiver.Bucket.GetRawAsync(key, Token);
        bytes[bytes.Length / 2] ^= 1;
        await archiver.Bucket.PutRawAsync(key, bytes, Token);

        var result = await archiver.RunAsync(verb, asked);

        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains($"Object {key} in", result.Error, StringComparison.Ordinal);
        Assert.Contains("is damaged", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refuses_what_is_more_than_may_be_fetched()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 0);
        await archiver.RunAsync("archive");
        await using var proxy = new FaultProxy(servers.S3.Endpoint, (_, _) => StoreFault.None);
        archiver.With("Storage:Endpoint", proxy.Endpoint.ToString());

        var limited = await archiver.RunAsync("query", "SELECT 1", "--limit-bytes", "100B");
        await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET byte_length = 600000000");
        var large = await archiver.RunAsync("query", "SELECT 1");

        Assert.Equal((3, "", 3, ""), (limited.ExitCode, limited.Output, large.ExitCode, large.Output));
        Assert.Contains("that is more than --limit-bytes 100B", limited.Error, StringComparison.Ordinal);
        Assert.Contains("3 archives in 3 objects, 1.8 GB; --yes to go on above 1.0 GB", large.Error, StringComparison.Ordinal);
        Assert.Empty(proxy.Requests);
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.audit WHERE action = 'query'"));
    }
}
