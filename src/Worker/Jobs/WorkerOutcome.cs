namespace Archiver.Worker.Jobs;

/// <summary>How the worker ends; done, unless something of it failed.</summary>
internal sealed class WorkerOutcome
{
    public int ExitCode { get; set; } = Output.ExitCode.Done;
}
