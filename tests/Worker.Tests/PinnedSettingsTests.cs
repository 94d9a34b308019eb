using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>
/// What server, database, role, environment and connection string say of a session's settings changes no byte of an archive, nor what comes
/// back.
/// </summary>
public sealed class PinnedSettingsTests(TestServers servers) : OddSettings(servers)
{
    private static readonly (string Column, string Json)[] Expected =
    [
        ("content", "\"Grüße\""),
        ("at", "\"2026-03-04T05:06:07Z\""),
        ("day", "\"2026-03-04\""),
        ("span", "\"1 year 2 mons -3 days +04:05:06\""),
        ("number", "0.30000000000000004"),
        ("bytes", "\"\\\\x00ff5c\""),
        ("markup", "\"a<b/>\""),
        ("list", "\"{a,NULL}\""),
        ("mood", "\"so so\""),
    ];

    [Theory]
    [InlineData("TimeZone", "'Asia/Kolkata'")]
    [InlineData("DateStyle", "'SQL, DMY'")]
    [InlineData("IntervalStyle", "'iso_8601'")]
    [InlineData("extra_float_digits", "-10")]
    [InlineData("bytea_output", "'escape'")]
    [InlineData("xmloption", "'document'")]
    [InlineData("array_nulls", "off")]
    [InlineData("quote_all_identifiers", "on")]
    [InlineData("search_path", "odd, public")]
    public async Task A_default_of_the_database_changes_nothing(string setting, string value)
    {
        await using var archiver = await CreateAsync();
        await SetAsync(archiver, $"{setting} = {value}");
        archiver.Database.DataSource.Clear();

        await AssertRoundTripAsync(archiver, new Dictionary<string, string?>());
    }

    [Fact]
    public async Task Npgsqls_environment_changes_nothing()
    {
        await using var archiver = await CreateAsync();

        await AssertRoundTripAsync(
            archiver,
            new Dictionary<string, string?>
            {
                ["PGCLIENTENCODING"] = "LATIN1",
                ["PGTZ"] = "Asia/Kolkata",
                ["PGTARGETSESSIONATTRS"] = "primary",
                ["PGOPTIONS"] =
                    "-c DateStyle=SQL,DMY -c IntervalStyle=iso_8601 -c extra_float_digits=-10 -c bytea_output=escape -c "
                    + "search_path=odd,public -c statement_timeout=30s",
            }
        );
    }

    [Theory]
    [InlineData("Client Encoding=LATIN1;Encoding=iso-8859-1")]
    [InlineData("Timezone=Asia/Kolkata;Options=-c DateStyle=SQL -c IntervalStyle=iso_8601 -c client_encoding=LATIN1")]
    [InlineData("Search Path=odd,public")]
    [InlineData("Multiplexing=true")]
    [InlineData("Pooling=false")]
    [InlineData("No Reset On Close=true;Max Auto Prepare=20;Auto Prepare Min Usages=1")]
    [InlineData("Array Nullability Mode=Always;Load Table Composites=true;Server Compatibility Mode=NoTypeLoading")]
    [InlineData("Command Timeout=1;Timeout=0;Cancellation Timeout=0;Keepalive=1")]
    [InlineData("Replication Mode=Logical")]
    [InlineData("Target Session Attributes=primary")]
    [InlineData("Persist Security Info=true;Log Parameters=true;Include Error Detail=true")]
    public async Task A_connection_string_of_another_application_changes_nothing(string more)
    {
        await using var archiver = await CreateAsync();
        archiver.With("Sources:main:ConnectionString", $"{archiver.Database.ConnectionString};{more}");

        await AssertRoundTripAsync(archiver, new Dictionary<string, string?>());
    }

    /// <summary>A backslash is a backslash, and the planner compiles nothing.</summary>
    [Theory]
    [InlineData("standard_conforming_strings", "off", @"s.session_title = 'a\tb'")]
    [InlineData("jit", "on", "current_setting('jit') = 'off'")]
    [InlineData(
        "lc_monetary",
        "'C.UTF-8'",
        "current_setting('lc_monetary') = 'C' OR current_setting('transaction_isolation') <> 'repeatable read'"
    )]
    public async Task A_condition_of_a_policy_means_the_same_everywhere(string setting, string value, string where)
    {
        await using var archiver = await CreateAsync();
        await archiver.Database.ExecuteAsync(@"UPDATE chat_sessions SET session_title = E'a\\tb'");
        await SetAsync(archiver, $"{setting} = {value}");

        var result = await RunAsync(archiver.With("Sources:main:Policies:idle:Where", where), new Dictionary<string, string?>(), "archive");

        Assert.Equal((0, 0L), (result.ExitCode, await archiver.LiveSessionsAsync()));
    }

    private static async Task AssertRoundTripAsync(Installation archiver, Dictionary<string, string?> variables)
    {
        await archiver.Database.ExecuteAsync("UPDATE chat_sessions SET user_id = 'Zoë 漢'", Token);
        var before = await archiver.RowsAsync();
        var archived = await RunAsync(archiver, variables, "archive");
        Assert.True(archived.ExitCode == 0, archived.Error);
        Assert.Equal(0, await archiver.LiveSessionsAsync());
        // What the driver reads and writes itself.
        var listed = await RunAsync(archiver, variables, "list", "--json");
        Assert.True(listed.ExitCode == 0, listed.Error);
        using var archives = JsonDocument.Parse(listed.Output);
        Assert.Equal("Zoë 漢", archives.RootElement[0].GetProperty("user_id").GetString());

        var key = Assert.Single(await archiver.Bucket.ListKeysAsync("chat_archives/2"));
        await using var gzip = new GZipStream(new MemoryStream(await archiver.Bucket.GetRawAsync(key)), CompressionMode.Decompress);
        using var text = new StreamReader(gzip, new UTF8Encoding(false, throwOnInvalidBytes: true));
        using var document = JsonDocument.Parse(await text.ReadToEndAsync(Token));
        var message = document.RootElement.GetProperty("messages")[0];
        Assert.Equal(Expected, Expected.Select(e => (e.Column, message.GetProperty(e.Column).GetRawText())));
        Assert.Equal(
            "odd.mood",
            document.RootElement.GetProperty("tables").GetProperty("messages").GetProperty("columns").GetProperty("mood").GetString()
        );

        var id = document.RootElement.GetProperty("session").GetProperty("session_id").GetString()!;
        var restored = await RunAsync(archiver, variables, "restore", id);
        Assert.True(restored.ExitCode == 0, restored.Error);
        Assert.Equal(before, await archiver.RowsAsync());
    }
}
