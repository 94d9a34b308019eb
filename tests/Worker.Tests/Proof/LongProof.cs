using System.Diagnostics;
using System.Globalization;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Worker.Tests.Proof;

/// <summary>
/// The long proof: a person starts it with <c>tests/soak/proof.sh</c>. Writers never stop; archive runs and restores are killed at a random
/// point, again and again, the database is restarted under them, softly or by SIGKILL, and people do what they should not; the oracle is
/// asked after each. The short one runs with the other tests.
/// </summary>
public sealed class LongProof(TestServers servers, ITestOutputHelper output)
{
    private readonly List<TimeSpan> _checks = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public Task Loses_nothing_under_load_kills_and_restarts() =>
        RunAsync(
            Number("ARCHIVER_PROOF_KILLS", 3),
            Number("ARCHIVER_PROOF_RESTARTS", 1),
            Number("ARCHIVER_PROOF_RESTORES", 1),
            Number("ARCHIVER_PROOF_MISHAPS", 7),
            Number("ARCHIVER_PROOF_SEED", 1)
        );

    private async Task RunAsync(int kills, int restarts, int restores, int mishaps, int seed)
    {
        var random = new Random(seed);
        var points = Points("run", "archive");
        var done = new ProofProgress();
        await using var server = await PostgresServer.StartAsync(Token);
        await using var archiver = (await Installation.CreateAsync(servers, Token, idle: 120, young: 10, postgres: server.ConnectionString))
            .Patient()
            .With("Batch:Sessions", "5")
            .With("Retry:Budget", "5s")
            .With("Retry:MaxAttempts", "1000");
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        // Without it the application can write into a session that is archived, as many schemas allow.
        await archiver.Database.ExecuteAsync("ALTER TABLE chat_messages DROP CONSTRAINT chat_messages_session_id_fkey", Token);
        await using var happening = new Mishaps(archiver, servers, oracle, random);
        await using var writers = new ChatWriters(archiver.Database.ConnectionString, seed).Start(4);
        while (done.Kills < kills || done.Restarts < restarts || done.Restores < restores || done.Mishaps < mishaps)
        {
            var mishap = "";
            // Restarts, restores and mishaps lie evenly among the kills.
            if (done.Mishaps < mishaps && done.Mishaps * kills < done.Kills * mishaps)
            {
                mishap = $"{await happening.HappenAsync()}, ";
                done = done with { Mishaps = done.Mishaps + 1 };
            }
            else if (done.Restarts < restarts && done.Restarts * kills <= done.Kills * restarts)
            {
                await RestartUnderARunAsync(server, archiver, random);
                done = done with { Restarts = done.Restarts + 1 };
            }
            else if (
                done.Restores < restores
                && done.Restores * kills < done.Kills * restores
                && await SomeArchivedAsync(archiver, random) is { Count: > 0 } ids
            )
            {
                await using var waits = LockWaits.Watch(archiver.Database.ConnectionString);
                await KillRestoreAsync(archiver, oracle, happening.Claims, ids, random);
                done = done.And(waits) with { Restores = done.Restores + 1 };
            }
            else
            {
                await using var waits = LockWaits.Watch(archiver.Database.ConnectionString);
                var killed = await KillAsync(archiver, points[random.Next(points.Length)], random.Next(1, 3));
                done = done.And(waits) with { Kills = done.Kills + (killed ? 1 : 0) };
            }
            await CheckAsync(oracle, atRest: false, $"after {mishap}{done}, seed {seed}");
            if ((done.Kills + done.Restarts + done.Restores + done.Mishaps) % 20 == 0)
                await ReportAsync(oracle, writers, happening, done, seed);
        }
        await writers.StopAsync();
        await happening.Holds.LiftAsync();
        await archiver.ToRestAsync(Token, "archive");
        await CheckAsync(oracle, atRest: true, $"at rest, seed {seed}");

        await ReportAsync(oracle, writers, happening, done, seed);
        var counts = await oracle.CountAsync(Token);
        Assert.DoesNotContain("40P01", writers.Errors.Keys);
        Assert.InRange(done.LongestWait, TimeSpan.Zero, LockWaits.Bound);
        Assert.True(counts.SessionsArchived > 0 && counts.RowsRestored > 0 && writers.Transactions > 0);
    }

    private async Task ReportAsync(Oracle oracle, ChatWriters writers, Mishaps happening, ProofProgress done, int seed)
    {
        var report = done.Report(await oracle.CountAsync(Token), writers, happening, _checks, seed);
        output.WriteLine(report);
        if (Environment.GetEnvironmentVariable("ARCHIVER_PROOF_REPORT") is { Length: > 0 } file)
            await File.WriteAllTextAsync(file, report + "\n", Token);
    }

    /// <summary>False when the run ended before it came to the point for that time.</summary>
    private static async Task<bool> KillAsync(Installation archiver, string point, int time)
    {
        await using var process = archiver.Start(ProcessFault.At(point, time), "archive", "--max-sessions", "25");
        return (await process.WaitForExitAsync(Token)).ExitCode == ProcessFault.Killed;
    }

    /// <summary>Kills a restore, or lets it end when it does not come to the point, and restores what is still missing.</summary>
    private async Task KillRestoreAsync(Installation archiver, Oracle oracle, ProofClaims claims, IReadOnlyList<string> ids, Random random)
    {
        var points = Points("restore");
        var point = points[random.Next(points.Length)];
        await archiver.KillAtAsync(point, 1, Token, ["restore", .. ids]);
        await CheckAsync(oracle, atRest: false, $"after a restore killed at {point}");
        var missing = await ArchivedAsync(archiver, ids);
        if (missing.Count > 0)
            await archiver.ToRestAsync(Token, ["restore", .. missing]);
        Assert.Empty(await ArchivedAsync(archiver, ids));
        await claims.RestoredAsync(ids, Token);
    }

    private static async Task<IReadOnlyList<string>> SomeArchivedAsync(Installation archiver, Random random)
    {
        var all = await ArchivedAsync(archiver, null);
        return [.. Enumerable.Range(0, Math.Min(3, all.Count)).Select(_ => all[random.Next(all.Count)]).Distinct()];
    }

    private static async Task<IReadOnlyList<string>> ArchivedAsync(Installation archiver, IReadOnlyList<string>? among)
    {
        var condition = among is null ? "true" : $"a.session_id IN ({string.Join(", ", among.Select(id => $"'{id}'"))})";
        return (
            await archiver.Database.ScalarAsync<string[]>(
                $"SELECT coalesce(array_agg(a.session_id ORDER BY a.id), '{{}}') FROM archiver.archives AS a WHERE a.state = 'archived' "
                    + $"AND {condition}",
                Token
            )
        )!;
    }

    private static string[] Points(params string[] scenarios) => [.. ProcessFault.Points.Where(p => scenarios.Contains(p.Split('.')[0]))];

    private static async Task RestartUnderARunAsync(PostgresServer server, Installation archiver, Random random)
    {
        // Held at a random step, so that the restart hits it there; it goes on when the server is back.
        var points = Points("archive");
        await using var process = archiver.Start(
            ProcessFault.At(points[random.Next(points.Length)], 1, ProcessSignal.Stop),
            "archive",
            "--max-sessions",
            "25"
        );
        await Eventually.TrueAsync(() => process.HasExited || process.Error.Contains("fault point", StringComparison.Ordinal), Token);
        if (random.Next(2) == 0)
            await server.KillAsync(Token);
        else
            await server.StopAsync(Token);
        await server.StartAgainAsync(Token);
        process.SendSignal(ProcessSignal.Continue);
        await process.WaitForExitAsync(Token);
    }

    private async Task CheckAsync(Oracle oracle, bool atRest, string when)
    {
        IReadOnlyList<string>? violations = null;
        // Connections of the pool that the restart cut are found out one by one.
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    var started = Stopwatch.GetTimestamp();
                    violations = await oracle.ViolationsAsync(atRest, Token);
                    _checks.Add(Stopwatch.GetElapsedTime(started));
                    return true;
                }
                catch (Npgsql.NpgsqlException)
                {
                    return false;
                }
            },
            Token,
            what: "the oracle could ask"
        );
        Assert.True(violations!.Count == 0, $"{when}: {string.Join('\n', violations)}");
    }

    private static int Number(string variable, int otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? int.Parse(value, CultureInfo.InvariantCulture) : otherwise;
}
