using System.Globalization;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Pipelines;
using Archiver.Integration.Tests.Restore;
using Archiver.Testing;
using Archiver.Testing.Proof;
using Microsoft.Extensions.Logging.Abstractions;

namespace Archiver.Integration.Tests.Proof;

/// <summary>
/// Random sequences of what users, policies, holds, restores and crashes do, against a model of a few lines. The same seed gives the same
/// sequence; ARCHIVER_PROOF_SEED tries another one, ARCHIVER_PROOF_STEPS a longer one.
/// </summary>
public sealed class ModelTests(TestServers servers)
{
    /// <summary>Few, so that a session lives through several of these things.</summary>
    private const int MostSessions = 5;

    private static readonly string[] Points = [.. ProcessFault.Points.Where(p => p.StartsWith("archive.", StringComparison.Ordinal))];

    private readonly ChatModel _model = new();
    private bool _keptByGrace,
        _restoredAgain;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(4, false)]
    [InlineData(6, false)]
    [InlineData(8, true)]
    public async Task Every_session_is_where_the_model_says_and_as_the_user_left_it(int seed, bool mishaps)
    {
        seed = Number("ARCHIVER_PROOF_SEED", seed);
        var random = new Random(seed);
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 0, young: 0, configure: s =>
            s with
            {
                Batch = s.Batch with { Sessions = 2 },
                Discard = new() { After = TimeSpan.FromMilliseconds(1), Notice = TimeSpan.Zero },
                Retry = s.Retry with { Budget = TimeSpan.FromMilliseconds(1) },
            }
        );
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        var user = new ModelUser(archiver, _model, random);
        var holds = new ModelHolds(archiver, _model, random);
        var mishap = new ModelMishaps(archiver, servers, oracle, _model, random);
        // Without it a message may come to a session that is archived.
        if (mishaps)
            await archiver.ExecuteAsync("ALTER TABLE chat_messages DROP CONSTRAINT chat_messages_session_id_fkey", null);
        for (var step = 0; step < Number("ARCHIVER_PROOF_STEPS", 60); step++)
        {
            if (!mishaps || step % 5 > 0 || !await mishap.HappenAsync())
                await StepAsync(archiver, user, holds, random);
            var violations = await oracle.ViolationsAsync(atRest: false, Token);
            Assert.True(violations.Count == 0, $"seed {seed}, {string.Join("; ", _model.Steps)}: {string.Join('\n', violations)}");
            Assert.Equal(
                (_model.ToString(), $"seed {seed}, {string.Join("; ", _model.Steps)}"),
                (await ActualAsync(archiver.Database), $"seed {seed}, {string.Join("; ", _model.Steps)}")
            );
        }
        Assert.True(
            mishaps ? mishap.EachHappened : _keptByGrace && _restoredAgain && holds.EachHappened,
            $"The sequence of seed {seed} is too short to show anything: {string.Join("; ", _model.Steps)}"
        );
    }

    private async Task StepAsync(ArchiverFixture archiver, ModelUser user, ModelHolds holds, Random random)
    {
        var session = _model.Live.Any() ? _model.Live.ElementAt(random.Next(_model.Live.Count())) : null;
        var archived = _model.Sessions.Values.Where(s => s.Archived).ToList();
        switch (random.Next(30))
        {
            case var n when _model.Sessions.Count < (n < 3 ? MostSessions : MostSessions - 2):
                await user.BeginAsync();
                break;
            case < 5 when session is not null:
                await user.WriteAsync(session);
                break;
            case < 7 when session?.Messages.Count > 0:
                await user.EditAsync(session);
                break;
            case 7 when session?.Messages.Count > 0:
                await user.DeleteMessageAsync(session);
                break;
            case 8 when session is not null && _model.Sessions.Count == MostSessions:
                await user.DeleteAsync(session);
                break;
            case 9 or 10 when session is not null:
                await user.UseAsync(session);
                break;
            case 11 or 12:
                _model.Policy = _model.Policy with
                {
                    IdleFor = TimeSpan.FromDays(random.Next(2) == 0 ? 90 : 120),
                    RestoreGrace = TimeSpan.FromDays(random.Next(2) * 30),
                };
                _model.Steps.Add($"policy {_model.Policy.IdleFor!.Value.Days} d, grace {_model.Policy.RestoreGrace.Days} d");
                break;
            case < 17 when archived.Count > 0:
                await RestoreAsync(archiver, archived[random.Next(archived.Count)]);
                break;
            case 17 or 18:
                await CrashingRunAsync(archiver, Points[random.Next(Points.Length)]);
                break;
            case > 22 and < 27 when _model.Sessions.Count > 0:
                await holds.HoldOrLiftAsync();
                break;
            case > 26 when await holds.DestroyAsync():
                break;
            default:
                await RunAsync(archiver);
                break;
        }
    }

    private async Task RunAsync(ArchiverFixture archiver)
    {
        _model.Steps.Add("run");
        var summary = await RunPolicyAsync(archiver);
        var eligible = _model.Live.Where(_model.IsEligible).ToList();
        Assert.True(
            (summary.Outcome, summary.Sessions) == (RunOutcome.Done, eligible.Count),
            $"{summary.Outcome}, {summary.Sessions} of {eligible.Count}, {string.Join(", ", summary.Reasons)} {summary.Error}: "
                + $"{string.Join("; ", _model.Steps)}"
        );
        _keptByGrace |= _model.Live.Any(s => _model.IsOld(s) && _model.IsInGrace(s));
        foreach (var session in eligible)
            session.Archived = true;
    }

    /// <summary>
    /// Every connection is cut at the point: each session is then wholly archived or wholly live, whichever, and no other is touched.
    /// </summary>
    private async Task CrashingRunAsync(ArchiverFixture archiver, string point)
    {
        _model.Steps.Add($"run cut at {point}");
        InProcessFault.Once(point, () =>
            archiver.ExecuteAsync(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname "
                    + "= current_database() AND application_name = 'archiver'",
                null
            )
        );
        await RunPolicyAsync(archiver);
        foreach (var session in _model.Live.Where(_model.IsEligible).ToList())
            session.Archived =
                await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM chat_sessions WHERE session_id = '{session.Key}'", Token)
                == 0;
    }

    private async Task RestoreAsync(ArchiverFixture archiver, ModelSession session)
    {
        _model.Steps.Add($"restore {session.Key[..4]}");
        var report = await archiver.RestoreAsync(RestoreFixture.Session(session.Key), Token);
        Assert.Equal((RunOutcome.Done, 1L), (report.Outcome, report.Restored));
        _restoredAgain |= session.Restored;
        (session.Archived, session.Restored) = (false, true);
        session.Late.Clear();
    }

    private Task<RunSummary> RunPolicyAsync(ArchiverFixture archiver) =>
        new PolicyRunner(
            archiver.Settings,
            archiver.Catalog,
            archiver.Store,
            TimeProvider.System,
            NullLogger<PolicyRunner>.Instance
        ).RunAsync(new RunRequest(archiver.Source, _model.Policy), null, Token);

    private static async Task<string> ActualAsync(TestDatabase database) =>
        (
            await database.CopyOutAsync(
                """
                SELECT line FROM (
                  SELECT s.session_id || ' live ' || coalesce((SELECT string_agg(m.id || ':' || m.content, ',' ORDER BY m.id)
                    FROM chat_messages AS m WHERE m.session_id = s.session_id), '') AS line FROM chat_sessions AS s
                  UNION ALL
                  SELECT a.session_id || ' archived ' || coalesce((SELECT string_agg(m.id::text, ',' ORDER BY m.id) FROM chat_messages AS m
                    WHERE m.session_id::text = a.session_id), '') FROM archiver.archives AS a WHERE a.state = 'archived') AS all_of_them
                ORDER BY line COLLATE "C"
                """,
                Token
            )
        ).TrimEnd('\n');

    private static int Number(string variable, int otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? int.Parse(value, CultureInfo.InvariantCulture) : otherwise;
}
