using Archiver.Core.Diagnostics;
using Archiver.Core.Storage;
using Archiver.Worker.Output;
using Log = Serilog.Log;

namespace Archiver.Worker.Commands;

/// <summary>The boundary of the process: every exception becomes one message on stderr and an exit code; only a bug shows its stack, in the log.</summary>
internal static class Failure
{
    public static int Report(Exception exception, Terminal terminal)
    {
        switch (exception)
        {
            case ArchiverException known:
                terminal.Fail(known.Message);
                return (int)known.Kind;
            case StorageException known:
                terminal.Fail(known.Message);
                return ExitCode.Failed;
            case OperationCanceledException:
                terminal.Fail("Stopped on request.");
                return ExitCode.Cancelled;
            default:
                Log.Fatal(exception, "Unexpected failure; please report this");
                terminal.Fail($"Unexpected {exception.GetType().Name}: {exception.Message}");
                return ExitCode.Failed;
        }
    }
}
