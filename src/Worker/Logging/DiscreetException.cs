using Archiver.Worker.Output;

namespace Archiver.Worker.Logging;

/// <summary>What the log may know of an exception, in its place: a sink prints exceptions as it likes.</summary>
internal sealed class DiscreetException(Exception exception) : Exception(ExceptionText.MessageOf(exception))
{
    // It may quote an id, and what prints it may be a terminal.
    private readonly string _text = Printable.Lines(ExceptionText.Of(exception));

    public override string? StackTrace { get; } = exception.StackTrace;

    public override string ToString() => _text;
}
