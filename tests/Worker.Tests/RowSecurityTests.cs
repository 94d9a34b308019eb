using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>
/// A role that row level security hides rows from is refused by every verb that would take a hidden row for one that is gone.
/// </summary>
public sealed class RowSecurityTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("sessions")]
    [InlineData("messages")]
    public async Task No_verb_reads_tables_of_which_it_sees_a_part_only(string table)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 2, messages: 1, preset: "status-expiry");
        await archiver.RunAsync("archive");
        await archiver.Database.ExecuteAsync("UPDATE sessions SET user_id = 'somebody', expires_at = now() - interval '1 day'");
        var live = await archiver.Database.ScalarAsync<string>("SELECT id::text FROM sessions LIMIT 1");
        var archived = await archiver.Database.ScalarAsync<string>("SELECT session_id FROM archiver.archives LIMIT 1");
        var rows = await RowsAsync();
        await using var role = await TestRole.CreateAsync(
            archiver.Database,
            $$"""
            GRANT USAGE, CREATE ON SCHEMA archiver TO {0}; GRANT ALL ON ALL TABLES IN SCHEMA archiver, public TO {0}; GRANT ALL
              ON ALL SEQUENCES IN SCHEMA archiver, public TO {0};
            ALTER TABLE {{table}} ENABLE ROW LEVEL SECURITY; CREATE POLICY none ON {{table}} USING (false)
            """
        );
        archiver
            .With("Sources:main:ConnectionString", role.ConnectionString)
            .With("Sources:main:Policies:gone:Action", "Purge")
            .With("Sources:main:Policies:gone:IdleFor", "1d")
            .With("Sources:main:Policies:over:Action", "Expire")
            .With("Sources:main:Policies:over:ExpiredFor", "0s");

        string[][] verbs =
        [
            ["archive"],
            ["purge"],
            ["expire"],
            ["plan"],
            ["status"],
            ["explain", live!],
            ["hold", "add", "--session", live!, "--reason", "case"],
            ["hold", "add", "--user", "somebody", "--reason", "case"],
            ["hold", "list"],
            ["reconcile"],
            ["ledger", "rebuild"],
            ["erase", live!, "--yes"],
            ["erase", "--user", "somebody", "--yes"],
            ["restore", archived!],
            ["restore", archived!, "--dry-run"],
            ["verify", "--restore-drill", "1"],
        ];
        List<string> other = [];
        foreach (var verb in verbs)
        {
            var result = await archiver.RunAsync(verb);
            if (
                result.ExitCode is not (1 or 3)
                || !(result.Error + result.Output).Replace('-', ' ').Contains("level security", StringComparison.Ordinal)
            )
                other.Add($"{string.Join(' ', verb)}: {result.ExitCode} {result.Output}{result.Error}");
        }
        Assert.Empty(other);
        Assert.Equal(2, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'archived'"));
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.holds"));
        Assert.Equal(rows, await RowsAsync());

        async Task<string> RowsAsync() =>
            await archiver.Database.CopyOutAsync(
                "SELECT s.*, m.* FROM sessions s LEFT JOIN messages m ON m.session_id = s.id ORDER BY s.id, m.id"
            );
    }
}
