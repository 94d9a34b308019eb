using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Archiver.Worker.Output;

/// <summary>The process's outputs: data on stdout, everything said about it on stderr. Text is UTF-8 whatever the locale says.</summary>
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

    public Terminal()
    {
        OutStream = Console.OpenStandardOutput();
        Out = new StreamWriter(OutStream, Utf8) { AutoFlush = true };
        Error = TextWriter.Synchronized(new StreamWriter(Console.OpenStandardError(), Utf8) { AutoFlush = true });
    }

    /// <summary>stdout as bytes.</summary>
    public Stream OutStream { get; }

    public TextWriter Out { get; }

    public TextWriter Error { get; }

    /// <summary>Whether a person watches stderr, on a terminal that can move its cursor.</summary>
    public bool ErrorIsTerminal { get; } = !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");

    /// <summary>A line of data. Control characters in it, such as those of an id chosen by somebody else, cannot reach the terminal.</summary>
    public void WriteLine(string line) => Out.WriteLine(Printable.Of(line));

    /// <summary>One JSON value on one line of stdout.</summary>
    public void WriteJson<T>(T value) => Out.WriteLine(JsonSerializer.Serialize(value, JsonOptions));

    /// <summary>What went wrong, to stderr.</summary>
    public void Fail(string message) => Error.WriteLine($"archiver: {message}");
}
