using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Archiver.Worker.Output;

/// <summary>An invocation's streams: data on stdout, everything said about it on stderr. Text is UTF-8 whatever the locale says.</summary>
internal sealed class Terminal
{
    /// <summary>The form of all JSON that is printed or sent.</summary>
    public static JsonSerializerOptions JsonOptions { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower), new SecondsConverter() },
    };

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    public Terminal(Stream input, Stream output, Stream error, bool errorIsTerminal)
    {
        In = input;
        OutStream = output;
        Out = new StreamWriter(output, Utf8) { AutoFlush = true };
        Error = TextWriter.Synchronized(new StreamWriter(error, Utf8) { AutoFlush = true });
        ErrorIsTerminal = errorIsTerminal;
    }

    /// <summary>stdin as bytes.</summary>
    public Stream In { get; }

    /// <summary>stdout as bytes.</summary>
    public Stream OutStream { get; }

    public TextWriter Out { get; }

    public TextWriter Error { get; }

    /// <summary>Whether a person watches stderr, on a terminal that can move its cursor.</summary>
    public bool ErrorIsTerminal { get; }

    /// <summary>A line of data. Control characters in it, such as those of an id chosen by somebody else, cannot reach the terminal.</summary>
    public void WriteLine(string line) => Out.WriteLine(Printable.Of(line));

    /// <summary>Data of the archiver's own that may have several lines; those after the first are indented.</summary>
    public void WriteLines(string text) => Out.WriteLine(Printable.Lines(text.Replace("\n", "\n    ", StringComparison.Ordinal)));

    /// <summary>One JSON value on one line of stdout.</summary>
    public void WriteJson<T>(T value) => Out.WriteLine(JsonSerializer.Serialize(value, JsonOptions));

    /// <summary>What went wrong, to stderr; it may quote a name or an id.</summary>
    public void Fail(string message) => Error.WriteLine($"archiver: {Printable.Lines(message)}");
}
