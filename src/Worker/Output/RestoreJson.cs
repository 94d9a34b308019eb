using Archiver.Core.Diagnostics;
using Archiver.Core.Import;
using Archiver.Core.Restore;

namespace Archiver.Worker.Output;

/// <summary>A restore as <c>restore --json</c> prints it.</summary>
internal sealed record RestoreJson(
    string Source,
    Guid? RunId,
    RunOutcome Outcome,
    bool DryRun,
    long Selected,
    long Restored,
    long AlreadyThere,
    long Rows,
    long JsonBytes,
    IReadOnlyList<RestoreRefusal> Refused,
    IReadOnlyList<RowsBeside> Beside,
    TimeSpan Elapsed,
    string? Error
)
{
    public static RestoreJson Of(string source, RestoreReport r) =>
        new(
            source,
            r.RunId == Guid.Empty ? null : r.RunId,
            r.Outcome,
            r.DryRun,
            r.Selected,
            r.Restored,
            r.AlreadyThere,
            r.Rows,
            r.JsonBytes,
            r.Refused,
            r.Beside,
            r.Elapsed,
            r.Error
        );
}
