using Archiver.Testing;
using DuckDB.NET.Data;

namespace Archiver.Worker.Tests.Query;

/// <summary>Parquet for other engines: whole or not there.</summary>
public sealed class ParquetTests(TestServers servers) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("archiver-test-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Writes_one_file_with_the_types_of_the_views()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 5, young: 0, messages: 3);
        var expected = await archiver.Database.ScalarAsync<string>(
            "SELECT count(*) || ' ' || sum(token_count) || ' ' || sum((extract(epoch FROM timestamp) * 1000000)::bigint) FROM chat_messages"
        );
        await archiver.RunAsync("archive");
        var file = Path.Combine(_folder, "it's all.parquet");

        var written = await archiver.RunAsync("query", "FROM messages", "--parquet", file);
        var again = await archiver.RunAsync("query", "FROM messages", "--parquet", file);

        Assert.Equal((0, $"{file}: 15 rows\n"), (written.ExitCode, written.Output));
        Assert.Equal((2, ""), (again.ExitCode, again.Output));
        Assert.Contains("is there already", again.Error, StringComparison.Ordinal);
        Assert.Equal([file], Directory.GetFileSystemEntries(_folder));
        Assert.Equal(
            expected,
            Read(
                "SELECT count(*) || ' ' || sum(token_count) || ' ' || sum(epoch_us(timestamp)) FROM "
                    + $"'{file.Replace("'", "''", StringComparison.Ordinal)}'"
            )
        );
        Assert.Equal(
            "TIMESTAMP WITH TIME ZONE JSON",
            Read(
                "SELECT any_value(typeof(timestamp)) || ' ' || any_value(typeof(metadata)) "
                    + $"FROM '{file.Replace("'", "''", StringComparison.Ordinal)}'"
            )
        );
    }

    [Fact]
    public async Task Writes_a_folder_of_months()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 12, young: 0, messages: 1);
        var months = await archiver.Database.ScalarAsync<string>(
            "SELECT string_agg(DISTINCT 'month=' || to_char(timestamp AT TIME ZONE "
                + "'UTC', 'YYYY-MM'), ' ' ORDER BY 'month=' || to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM')) FROM chat_messages"
        );
        await archiver.RunAsync("archive");
        var folder = Path.Combine(_folder, "all");

        var byColumn = await archiver.RunAsync(
            "query",
            "SELECT * EXCLUDE archived_at FROM messages",
            "--parquet",
            folder,
            "--partition-by",
            "month:timestamp"
        );
        var byDefault = await archiver.RunAsync("query", "FROM sessions", "--parquet", folder + "2", "--partition-by", "month");

        Assert.Equal((0, 0), (byColumn.ExitCode, byDefault.ExitCode));
        Assert.Equal(months, string.Join(' ', Directory.GetDirectories(folder).Select(Path.GetFileName).Order()));
        Assert.Equal(
            "12",
            Read(
                $"SELECT count(DISTINCT session_id)::varchar FROM read_parquet('{folder}/*/*.parquet', hive_partitioning = "
                    + "true) WHERE month = strftime(timestamp, '%Y-%m')"
            )
        );
        Assert.Equal(
            ["month=" + TimeProvider.System.GetUtcNow().ToString("yyyy-MM", System.Globalization.CultureInfo.InvariantCulture)],
            Directory.GetDirectories(folder + "2").Select(Path.GetFileName)
        );
    }

    [Theory]
    [InlineData("--partition-by needs --parquet", "SELECT 1", "--partition-by", "month")]
    [InlineData("--json, --csv and --parquet exclude each other", "SELECT 1", "--json", "--csv")]
    [InlineData("--partition-by must be month", "SELECT 1", "--parquet", "x.parquet", "--partition-by", "week")]
    [InlineData("no column of a date or time", "SELECT 1 AS a", "--parquet", "/tmp/never.parquet", "--partition-by", "month")]
    [InlineData("has a column 'month' already", "SELECT 1 AS month", "--parquet", "/tmp/never.parquet", "--partition-by", "month")]
    [InlineData("There is no folder /nowhere", "SELECT 1", "--parquet", "/nowhere/x.parquet")]
    [InlineData("--memory must be at least 256MiB", "SELECT 1", "--memory", "100MB")]
    public async Task Refuses_what_does_not_go_together(string message, params string[] arguments)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1);

        var result = await archiver.RunAsync(["query", .. arguments]);

        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
    }

    private static string Read(string sql)
    {
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"SET TimeZone = 'UTC'; {sql}";
        return (string)command.ExecuteScalar()!;
    }
}
