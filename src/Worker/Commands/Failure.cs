using Archiver.Core.Diagnostics;
using Archiver.Worker.Logging;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary>The boundary of an invocation: every exception becomes one message on stderr and an exit code.</summary>
internal static class Failure
{
    /// <summary>Whether its message says all that a person needs; any other exception is a bug.</summary>
    public static bool IsExpected(Exception exception) => exception is ArchiverException or StorageException or OperationCanceledException;

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
                terminal.Fail($"Unexpected {exception.GetType().Name}: {ExceptionText.MessageOf(exception)}");
                return ExitCode.Failed;
        }
    }
}
