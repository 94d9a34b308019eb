using System.Globalization;
using Archiver.Testing.Proof;

namespace Archiver.Worker.Tests.Proof;

/// <summary>
/// What the long proof has done to the worker so far, and who waited longest for a lock meanwhile, while no worker was stopped on purpose.
/// </summary>
/// <param name="Kills">Archive runs killed.</param>
/// <param name="Restores">Restores killed, and then run to their end.</param>
/// <param name="Restarts">Restarts of the database.</param>
/// <param name="Mishaps">What people did that they should not.</param>
internal sealed record ProofProgress(int Kills = 0, int Restores = 0, int Restarts = 0, int Mishaps = 0)
{
    public TimeSpan LongestWait { get; private init; }

    public TimeSpan LongestWaitOfArchiver { get; private init; }

    public ProofProgress And(LockWaits waits) =>
        this with
        {
            LongestWait = waits.OfApplication > LongestWait ? waits.OfApplication : LongestWait,
            LongestWaitOfArchiver = waits.OfArchiver > LongestWaitOfArchiver ? waits.OfArchiver : LongestWaitOfArchiver,
        };

    /// <summary>The table of docs/proof.md.</summary>
    public string Report(OracleCounts counts, ChatWriters writers, Mishaps happening, IReadOnlyCollection<TimeSpan> checks, int seed) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"""
            | what | count |
            |---|---|
            | archive runs killed by SIGKILL at a random fault point | {Kills} |
            | restores killed by SIGKILL at a random fault point, then run to their end | {Restores} |
            | restarts of the database under a run, fast or by SIGKILL | {Restarts} |
            | {string.Join(", ", happening.Counts.Keys)} | {string.Join(", ", happening.Counts.Values)} |
            | seed | {seed} |
            | runs | {counts.Runs} |
            | transactions of the application meanwhile | {writers.Transactions} |
            | committed row versions watched | {counts.Versions} |
            | rows archived / restored, sessions archived now | {counts.RowsArchived} / {counts.RowsRestored}, {counts.SessionsArchived} |
            | copies abandoned because the session changed or was in use | {counts.CopiesAbandoned} |
            | rows lost, stale copies, sessions both live and archived, runs with other counts than the shadow's, objects that the ledger does not know | 0, 0, 0, 0, 0 |
            | rows and archives of held sessions touched, of {counts.Holds} holds | {counts.HeldTouched} |
            | held or foreign objects removed, of {happening.Claims.Kept} looked for; false completions, of {happening.Claims.Completions} looked at | 0, 0 |
            | errors of the application by SQLSTATE | {string.Join(
                ", ",
                writers.Errors.OrderBy(e => e.Key).Select(e => $"{e.Key}: {e.Value}")
            )} |
            | its statements: median, p99, longest | {Times(writers)} |
            | longest wait of the application for a lock of the archiver, and of the archiver for a lock | {LongestWait.TotalMilliseconds:0} ms, {LongestWaitOfArchiver.TotalMilliseconds:0} ms |
            | checks by the oracle: count, median, longest | {checks.Count}, {checks.Order().ElementAt(
                checks.Count / 2
            ).TotalSeconds:0.0} s, {checks.Max().TotalSeconds:0.0} s |
            """
        );

    private static string Times(ChatWriters writers) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{writers.Percentile(.5):0.0} ms, {writers.Percentile(.99):0.0} ms, {writers.Percentile(1):0} ms"
        );
}
