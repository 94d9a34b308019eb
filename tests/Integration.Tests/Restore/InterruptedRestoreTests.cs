using Archiver.Core.Ledger;
using Archiver.Testing;
using Npgsql;

namespace Archiver.Integration.Tests.Restore;

/// <summary>A restore whose connections die at any moment leaves all or nothing of each session, and another one finishes the work.</summary>
public sealed class InterruptedRestoreTests(TestServers servers)
{
    private const string Torn = """
        SELECT count(*)
        FROM archiver.archives AS a
        WHERE (SELECT count(*) FROM chat_sessions AS s WHERE s.session_id::text = a.session_id) + (SELECT count(*) FROM chat_messages AS m WHERE m.session_id::text = a.session_id)
              <> CASE a.state WHEN 'restored' THEN a.row_count ELSE 0 END
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // A failing statement by its place in the work: each is a moment at which the server may die.
    [Theory]
    [InlineData("COPY pg_temp.")]
    [InlineData("INSERT INTO \"public\".\"chat_messages\"")]
    [InlineData("COPY (SELECT k.n")]
    [InlineData("UPDATE archiver.archives")]
    [InlineData("COMMIT")]
    public async Task Leaves_all_or_nothing_of_each_session_when_its_server_process_is_killed_at(string statement)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 60, young: 0, messages: 30, configure: s => s with { Retry = s.Retry with { Budget = TimeSpan.FromMilliseconds(1) } });
        var before = await archiver.Database.CopyTablesAsync(archiver);
        await archiver.RunAsync(Token);
        using var stop = new CancellationTokenSource();
        var killing = KillAsync(archiver.Database, statement, stop.Token);

        await archiver.RestoreAsync(RestoreFixture.Everything, Token);
        await stop.CancelAsync();
        var killed = await killing;

        Assert.Equal(0, await archiver.Database.ScalarAsync<long>(Torn));
        var report = await archiver.RestoreAsync(RestoreFixture.Everything, Token);
        Assert.Equal((RunOutcome.Done, null, 60L), (report.Outcome, report.Error, report.Restored + report.AlreadyThere));
        Assert.Equal(before, await archiver.Database.CopyTablesAsync(archiver));
        Assert.True(killed > 0, $"No server process was ever seen at {statement}: the test could not fail.");
    }

    [Fact]
    public async Task Leaves_all_or_nothing_of_each_session_when_it_is_stopped_between_two_transactions()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 1200, young: 0, messages: 2);
        await archiver.RunAsync(Token);
        using var stop = new CancellationTokenSource();

        var restoring = archiver.RestoreAsync(RestoreFixture.Everything, stop.Token);
        await Eventually.TrueAsync(async () => await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions") > 0, Token);
        await stop.CancelAsync();
        var report = await restoring;

        Assert.Equal(0, await archiver.Database.ScalarAsync<long>(Torn));
        Assert.Equal(report.Restored, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions"));
        var rest = await archiver.RestoreAsync(RestoreFixture.Everything, Token);
        Assert.Equal((RunOutcome.Done, 1200L), (rest.Outcome, rest.Restored + rest.AlreadyThere));
        Assert.Equal("done", await archiver.Database.ScalarAsync<string>("SELECT state FROM archiver.runs ORDER BY started_at DESC LIMIT 1"));
    }

    /// <summary>Kills, again and again, the server process that runs such a statement; returns how often it hit.</summary>
    private static async Task<int> KillAsync(TestDatabase database, string statement, CancellationToken stop)
    {
        var killed = 0;
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Pooling = false, ApplicationName = "killer" }.ConnectionString);
        await connection.OpenAsync(CancellationToken.None);
        await using var command = new NpgsqlCommand(
            "SELECT count(*) FILTER (WHERE pg_terminate_backend(a.pid)) FROM pg_stat_activity AS a WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.application_name = 'archiver' AND a.query LIKE $1 || '%'", connection);
        command.Parameters.Add(new() { Value = statement });
        while (!stop.IsCancellationRequested)
            killed += (int)(long)(await command.ExecuteScalarAsync(CancellationToken.None))!;
        return killed;
    }
}
