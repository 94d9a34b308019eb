using System.Text.RegularExpressions;
using Archiver.Testing;
using Npgsql;

namespace Archiver.Integration.Tests.ApplicationSchemas;

/// <summary>
/// The lines in the heads of <c>sql/schemas</c>, typed as they stand, on the tables of the systems as their owners have them.
/// </summary>
public sealed class ScriptHeadTests(TestServers servers)
{
    private const string Shape = """
        SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT concat_ws(' ', table_name, column_name, column_default) FROM information_schema.columns
          WHERE table_schema = 'public' ORDER BY 1
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("ended-at")]
    [InlineData("last-accessed")]
    [InlineData("status-expiry")]
    [InlineData("soft-delete")]
    public async Task A_dry_run_changes_nothing_and_the_form_for_large_tables_leads_to_the_same(string preset)
    {
        await using var database = await OwnersAsync(preset);
        await using var plain = await OwnersAsync(preset);
        await ApplicationSchema.InstallAsync(plain, preset, Token);
        var before = await database.CopyOutAsync(Shape, Token);

        await TypeAsync(database, preset, "Dry run");
        Assert.Equal(before, await database.CopyOutAsync(Shape, Token));

        await TypeAsync(database, preset, "Large live table");
        Assert.Equal(await plain.CopyOutAsync(Shape, Token), await database.CopyOutAsync(Shape, Token));
    }

    [Theory]
    [InlineData("ended-at")]
    [InlineData("last-accessed")]
    [InlineData("status-expiry")]
    [InlineData("soft-delete")]
    public async Task A_dry_run_of_the_way_back_changes_nothing(string preset)
    {
        await using var database = await TestDatabase.CreateAsync(servers, Token);
        await ApplicationSchema.InstallAsync(database, preset, Token);
        var before = await database.CopyOutAsync(Shape, Token);

        await TypeAsync(database, $"down/{preset}", "Dry run");

        Assert.Equal(before, await database.CopyOutAsync(Shape, Token));
    }

    private async Task<TestDatabase> OwnersAsync(string preset)
    {
        var database = await TestDatabase.CreateAsync(servers, Token);
        await database.ExecuteAsync(
            await File.ReadAllTextAsync(Repository.File("tests", "Testing", "applications", $"{preset}.sql"), Token),
            Token
        );
        return database;
    }

    private static async Task TypeAsync(TestDatabase database, string script, string label)
    {
        var file = Repository.File(["sql", "schemas", .. $"{script}.sql".Split('/')]);
        var line = Head(label).Match(await File.ReadAllTextAsync(file, Token)).Groups[1].Value;
        var to = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        var environment = new Dictionary<string, string?>
        {
            ["PGHOST"] = to.Host,
            ["PGPORT"] = $"{to.Port}",
            ["PGUSER"] = to.Username,
            ["PGPASSWORD"] = to.Password,
            ["PGDATABASE"] = to.Database,
            ["PATH"] = $"{Environment.GetEnvironmentVariable("PATH")}:{ServerPrograms()}",
        };
        await using var shell = ChildProcess.Start(
            "bash",
            ["-c", $"set -o pipefail; {line}"],
            environment,
            "",
            Path.GetDirectoryName(file)
        );

        var result = await shell.WaitForExitAsync(Token);

        Assert.True(result.ExitCode == 0 && line.Length > 0, $"{line}: {result.Error}");
    }

    /// <summary>psql lies there where Debian's package of the client is not installed.</summary>
    private static string ServerPrograms() =>
        Environment.GetEnvironmentVariable("ARCHIVER_TEST_PG_BIN")
        ?? Directory
            .GetDirectories("/usr/lib/postgresql")
            .Order(StringComparer.Ordinal)
            .Select(d => Path.Combine(d, "bin"))
            .LastOrDefault("");

    private static Regex Head(string label) => new($"(?m)^-- +{label}: +(.*)$");
}
