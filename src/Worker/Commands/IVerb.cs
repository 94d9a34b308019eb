using System.CommandLine;

namespace Archiver.Worker.Commands;

/// <summary>One verb of the command line. It is made only when it is called, with its services in the constructor.</summary>
internal interface IVerb
{
    /// <summary>Name, help with a runnable example, arguments and options.</summary>
    static abstract Command Describe();

    /// <summary>Does it; the result is the exit code. Exceptions are for <see cref="Failure"/>.</summary>
    Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken);
}
