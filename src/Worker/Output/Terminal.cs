using System.Text;
using System.Text.Json;
using Spectre.Console;

namespace Archiver.Worker.Output;

/// <summary>An invocation's streams: data on stdout, everything said about it on stderr. Text is UTF-8 whatever the locale says.</summary>
internal sealed class Terminal
{
    private readonly Lock _lock = new();

    private readonly List<string> _reasons = [];

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    public Terminal(Stream input, Stream output, Stream error, bool outputIsTerminal, bool errorIsTerminal)
    {
        In = input;
        OutStream = output;
        Out = new StreamWriter(output, Utf8) { AutoFlush = true };
        Error = TextWriter.Synchronized(new StreamWriter(error, Utf8) { AutoFlush = true });
        OutputIsTerminal = outputIsTerminal;
        ErrorIsTerminal = errorIsTerminal;
    }

    /// <summary>stdin as bytes.</summary>
    public Stream In { get; }

    /// <summary>stdout as bytes.</summary>
    public Stream OutStream { get; }

    public TextWriter Out { get; }

    public TextWriter Error { get; }

    /// <summary>
    /// stderr as a screen, where it is a terminal. Bar and log go through the same one: it writes lines above the bar, where any other
    /// writer would write into it.
    /// </summary>
    public IAnsiConsole Screen =>
        field ??= AnsiConsole.Create(
            new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error), Interactive = InteractionSupport.Yes }
        );

    /// <summary>Whether stdout is a terminal: what goes there must not hold control characters that somebody else chose.</summary>
    public bool OutputIsTerminal { get; }

    /// <summary>Whether a person watches stderr, on a terminal that can move its cursor.</summary>
    public bool ErrorIsTerminal { get; }

    /// <summary>
    /// A line of data. Control characters in it, such as those of an id chosen by somebody else, cannot reach the terminal.
    /// </summary>
    public void WriteLine(string line) => Out.WriteLine(Printable.Of(line));

    /// <summary>Data of the archiver's own that may have several lines; those after the first are indented.</summary>
    public void WriteLines(string text) => Out.WriteLine(Printable.Lines(text.Replace("\n", "\n    ", StringComparison.Ordinal)));

    /// <summary>One JSON value on one line of stdout.</summary>
    public void WriteJson<T>(T value) => Out.WriteLine(JsonSerializer.Serialize(value, ResultJson.Of<T>()));

    /// <summary>What a person should know beside the data, to stderr, at once: it is no failure.</summary>
    public void Note(string text) => Error.WriteLine(Printable.Lines(text));

    /// <summary>
    /// Why a command was not, or not wholly, done, and what to do about it; it may quote a name or an id. It is printed at the end, below
    /// log and summaries: that is where people look.
    /// </summary>
    public void Fail(string reason)
    {
        lock (_lock)
            _reasons.Add(reason);
    }

    /// <summary>
    /// Prints the reasons to stderr, once, as the last that an invocation says. No command ends with another code than 0 and without one.
    /// </summary>
    public void Conclude(int code)
    {
        lock (_lock)
        {
            if (code != ExitCode.Done && _reasons.Count == 0)
                _reasons.Add(
                    code == ExitCode.Refused
                        ? "Refused; what is above says why."
                        : "Not everything was done; what is above says what is left."
                );
            foreach (var reason in _reasons.Distinct())
                Error.WriteLine($"archiver: {Printable.Lines(reason)}");
            _reasons.Clear();
        }
    }
}
