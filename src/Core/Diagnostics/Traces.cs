using System.Diagnostics;

namespace Archiver.Core.Diagnostics;

/// <summary>
/// Spans of runs, their batches, and the stages of these, for whoever listens; without a listener there are none. They carry names of
/// sources and policies and counts, never an id of a session or a value of a row.
/// </summary>
internal static class Traces
{
    /// <summary>Name of the source of these spans.</summary>
    public const string Name = "Archiver";

    private const string BatchName = "archiver.batch";

    private static readonly ActivitySource Source = new(Name);

    /// <summary>Whether the caller works inside one of these spans.</summary>
    public static bool IsInside => Activity.Current?.Source == Source;

    /// <summary>The batch whose stage the caller is in, or null.</summary>
    public static Activity? BatchOfStage => IsInside && Activity.Current!.Parent is { OperationName: BatchName } batch ? batch : null;

    /// <summary>The span of a run; disposing of it ends it.</summary>
    public static Activity? Run(string source, string policy, string action) =>
        Source
            .StartActivity("archiver.run")
            ?.SetTag("archiver.source", source)
            .SetTag("archiver.policy", policy)
            .SetTag("archiver.action", action);

    /// <summary>
    /// The span of a batch below the run's. It is nobody's current one: batches overlap, and their stages are in different threads, so each
    /// <see cref="Stage"/> says which batch it is of.
    /// </summary>
    public static Activity? Batch()
    {
        var outer = Activity.Current;
        var batch = Source.StartActivity(BatchName);
        Activity.Current = outer;
        return batch;
    }

    /// <summary>A stage of the batch, current until it is disposed of.</summary>
    public static StageSpan Stage(string stage, Activity? batch) => new(stage, batch);

    /// <summary>Notes what came through the stage that the caller is in.</summary>
    public static void Note(long sessions, long rows, long bytes)
    {
        if (IsInside)
            Activity.Current!.SetTag("archiver.sessions", sessions).SetTag("archiver.rows", rows).SetTag("archiver.bytes", bytes);
    }

    /// <summary>Notes how the run ended.</summary>
    public static void Note(Activity? run, Guid id, RunOutcome outcome, long sessions, long failed)
    {
        run?.SetTag("archiver.run.id", id)
            .SetTag("archiver.outcome", outcome.ToString())
            .SetTag("archiver.sessions", sessions)
            .SetTag("archiver.failed", failed);
        if (outcome is RunOutcome.Failed or RunOutcome.Partial)
            run?.SetStatus(ActivityStatusCode.Error);
    }

    /// <summary>A stage's span; the one that was current before is so again at its end.</summary>
    internal readonly struct StageSpan : IDisposable
    {
        private readonly Activity? _outer,
            _stage;

        public StageSpan(string stage, Activity? batch)
        {
            _outer = Activity.Current;
            if (batch is null)
                return;
            Activity.Current = batch;
            _stage = Source.StartActivity($"archiver.{stage}");
        }

        public void Dispose()
        {
            if (_stage is null)
                return;
            _stage.Dispose();
            Activity.Current = _outer;
        }
    }
}
