namespace Archiver.Testing;

/// <summary>Signals by their Linux numbers.</summary>
public enum ProcessSignal
{
    /// <summary>SIGINT: Ctrl-C.</summary>
    Interrupt = 2,

    /// <summary>SIGKILL: a crash; nothing of the process runs any more.</summary>
    Kill = 9,

    /// <summary>SIGTERM: what an orchestrator sends first.</summary>
    Terminate = 15,

    /// <summary>SIGCONT: go on after <see cref="Stop"/>.</summary>
    Continue = 18,

    /// <summary>SIGSTOP: a pause the process does not see, such as a suspended machine.</summary>
    Stop = 19,
}
