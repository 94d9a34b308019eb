using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>A role that row level security hides rows from is refused by every verb that would take a hidden row for one that is gone.</summary>
public sealed class RowSecurityTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_verb_reads_tables_of_which_it_sees_a_part_only()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 2);
        await archiver.RunAsync("archive");
        var live = await archiver.Database.ScalarAsync<string>("SELECT session_id::text FROM chat_sessions LIMIT 1");
        var archived = await archiver.Database.ScalarAsync<string>("SELECT session_id FROM archiver.archives LIMIT 1");
        await using var role = await TestRole.CreateAsync(archiver.Database, """
            GRANT USAGE, CREATE ON SCHEMA archiver TO {0}; GRANT ALL ON ALL TABLES IN SCHEMA archiver, public TO {0}; GRANT ALL ON ALL SEQUENCES IN SCHEMA archiver, public TO {0};
            ALTER TABLE chat_sessions ENABLE ROW LEVEL SECURITY; CREATE POLICY none ON chat_sessions USING (false)
            """);
        archiver.With("Sources:main:ConnectionString", role.ConnectionString);

        string[][] verbs =
        [
            ["archive"], ["plan"], ["status"], ["explain", live!], ["hold", "add", "--session", live!, "--reason", "case"],
            ["hold", "list"], ["reconcile"], ["ledger", "rebuild"], ["erase", live!, "--yes"], ["restore", archived!],
        ];
        foreach (var verb in verbs)
        {
            var result = await archiver.RunAsync(verb);
            Assert.True(result.ExitCode is 1 or 3 && (result.Error + result.Output).Replace('-', ' ').Contains("level security", StringComparison.Ordinal), $"{string.Join(' ', verb)}: {result.ExitCode}\n{result.Output}{result.Error}");
        }
        Assert.Equal(2, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'archived'"));
        Assert.Equal(2, await archiver.LiveSessionsAsync());
    }
}
