using System.Globalization;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Worker.Tests.Proof;

/// <summary>
/// The long proof: a person starts it with <c>tests/soak/proof.sh</c>. Writers never stop; the worker is killed at a random point, again and
/// again, the database is restarted under it, softly or by SIGKILL; the oracle is asked after each. The short one runs with the other tests.
/// </summary>
public sealed class LongProof(TestServers servers, ITestOutputHelper output)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public Task Loses_nothing_under_load_kills_and_restarts() => RunAsync(Number("ARCHIVER_PROOF_KILLS", 3), Number("ARCHIVER_PROOF_RESTARTS", 1), Number("ARCHIVER_PROOF_SEED", 1));

    private async Task RunAsync(int kills, int restarts, int seed)
    {
        var random = new Random(seed);
        var points = ProcessFault.Points.Where(p => p.Split('.')[0] is "run" or "archive").ToArray();
        await using var server = await PostgresServer.StartAsync(Token);
        await using var archiver = (await Installation.CreateAsync(servers, Token, idle: 120, young: 10, postgres: server.ConnectionString))
            .Patient().With("Batch:Sessions", "5").With("Retry:Budget", "5s").With("Retry:MaxAttempts", "1000");
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        await using var writers = new ChatWriters(archiver.Database.ConnectionString, seed).Start(4);
        var (killed, restarted) = (0, 0);
        while (killed < kills || restarted < restarts)
        {
            // Restarts lie evenly among the kills.
            if (restarted * kills <= killed * restarts && restarted < restarts)
            {
                await RestartUnderARunAsync(server, archiver, random);
                restarted++;
            }
            else if (await KillAsync(archiver, points[random.Next(points.Length)], random.Next(1, 3)))
            {
                killed++;
            }
            await CheckAsync(oracle, atRest: false, $"after {killed} kills and {restarted} restarts, seed {seed}");
            if ((killed + restarted) % 20 == 0)
                await ReportAsync(oracle, writers, killed, restarted, seed);
        }
        await writers.StopAsync();
        await archiver.ToRestAsync(Token, "archive");
        await CheckAsync(oracle, atRest: true, $"at rest, seed {seed}");

        await ReportAsync(oracle, writers, killed, restarted, seed);
        var counts = await oracle.CountAsync(Token);
        Assert.DoesNotContain("40P01", writers.Errors.Keys);
        Assert.True(counts.SessionsArchived > 0 && writers.Transactions > 0);
    }

    private async Task ReportAsync(Oracle oracle, ChatWriters writers, int killed, int restarted, int seed)
    {
        var counts = await oracle.CountAsync(Token);
        var report = string.Create(CultureInfo.InvariantCulture, $"""
            | what | count |
            |---|---|
            | workers killed by SIGKILL at a random fault point | {killed} |
            | restarts of the database under a run, fast or by SIGKILL | {restarted} |
            | seed | {seed} |
            | runs | {counts.Runs} |
            | transactions of the application meanwhile | {writers.Transactions} |
            | committed row versions watched | {counts.Versions} |
            | rows archived / sessions | {counts.RowsArchived} / {counts.SessionsArchived} |
            | copies abandoned because the session changed or was in use | {counts.CopiesAbandoned} |
            | rows lost, stale copies, sessions both live and archived, runs with other counts than the shadow's, objects that the ledger does not know | 0, 0, 0, 0, 0 |
            | errors of the application by SQLSTATE | {string.Join(", ", writers.Errors.OrderBy(e => e.Key).Select(e => $"{e.Key}: {e.Value}"))} |
            | its statements: median, p99, longest | {writers.Percentile(.5):0.0} ms, {writers.Percentile(.99):0.0} ms, {writers.Percentile(1):0} ms |
            """);
        output.WriteLine(report);
        if (Environment.GetEnvironmentVariable("ARCHIVER_PROOF_REPORT") is { Length: > 0 } file)
            await File.WriteAllTextAsync(file, report, Token);
    }

    /// <summary>False when the run ended before it came to the point for that time.</summary>
    private static async Task<bool> KillAsync(Installation archiver, string point, int time)
    {
        await using var process = archiver.Start(ProcessFault.At(point, time), "archive", "--max-sessions", "25");
        return (await process.WaitForExitAsync(Token)).ExitCode == ProcessFault.Killed;
    }

    private static async Task RestartUnderARunAsync(PostgresServer server, Installation archiver, Random random)
    {
        // Held at a random step, so that the restart hits it there; it goes on when the server is back.
        var points = ProcessFault.Points.Where(p => p.StartsWith("archive.", StringComparison.Ordinal)).ToArray();
        await using var process = archiver.Start(ProcessFault.At(points[random.Next(points.Length)], 1, ProcessSignal.Stop), "archive", "--max-sessions", "25");
        await Eventually.TrueAsync(() => process.HasExited || process.Error.Contains("fault point", StringComparison.Ordinal), Token);
        if (random.Next(2) == 0)
            await server.KillAsync(Token);
        else
            await server.StopAsync(Token);
        await server.StartAgainAsync(Token);
        process.SendSignal(ProcessSignal.Continue);
        await process.WaitForExitAsync(Token);
    }

    private static async Task CheckAsync(Oracle oracle, bool atRest, string when)
    {
        IReadOnlyList<string>? violations = null;
        // Connections of the pool that the restart cut are found out one by one.
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    violations = await oracle.ViolationsAsync(atRest, Token);
                    return true;
                }
                catch (Npgsql.NpgsqlException)
                {
                    return false;
                }
            },
            Token, what: "the oracle could ask");
        Assert.True(violations!.Count == 0, $"{when}: {string.Join('\n', violations)}");
    }

    private static int Number(string variable, int otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? int.Parse(value, CultureInfo.InvariantCulture) : otherwise;
}
