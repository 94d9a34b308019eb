namespace Archiver.Worker.Logging;

/// <summary>What the log may know of an exception, in its place: a sink prints exceptions as it likes.</summary>
internal sealed class DiscreetException(Exception exception) : Exception(ExceptionText.MessageOf(exception))
{
    private readonly string _text = ExceptionText.Of(exception);

    public override string? StackTrace { get; } = exception.StackTrace;

    public override string ToString() => _text;
}
