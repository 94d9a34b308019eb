using System.Text;
using System.Text.RegularExpressions;
using Archiver.Testing;

namespace Archiver.Worker.Tests.Transcripts;

/// <summary>
/// A file with commands and what they print. A line <c>$ [NAME=value...] archiver ...</c> is run, <c>sql&gt; ...</c> is done in the
/// database, <c>file&gt; name text</c> written to the working folder, and what follows is what is expected. <c>{one}</c> in a command is
/// the text that <c>sql one&gt; ...</c> has returned.
/// </summary>
internal sealed partial class Transcript(string file, Installation? installation)
{
    private readonly string _folder = Directory.CreateTempSubdirectory("archiver-transcript-").FullName;

    private readonly Dictionary<string, string> _values = [];

    private readonly Dictionary<string, string> _ids = [];

    /// <summary>Runs the commands and compares all that they print.</summary>
    public async Task CompareAsync(CancellationToken cancellationToken)
    {
        try
        {
            var expected = await File.ReadAllLinesAsync(Path.Combine(AppContext.BaseDirectory, "Transcripts", file), cancellationToken);
            StringBuilder actual = new();
            foreach (var line in expected.Where(l => Step().IsMatch(l)))
                actual.Append($"{line}\n{await StepAsync(line, cancellationToken)}");
            if (Environment.GetEnvironmentVariable("ARCHIVER_TEST_TRANSCRIPTS") is { Length: > 0 } folder)
                await File.WriteAllTextAsync(Path.Combine(folder, file), actual.ToString(), cancellationToken);
            Assert.Equal(string.Join('\n', expected), actual.ToString().TrimEnd('\n'));
        }
        finally
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    private async Task<string> StepAsync(string line, CancellationToken cancellationToken)
    {
        var (kind, text) = (line[..line.IndexOf(' ', StringComparison.Ordinal)], line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
        switch (kind)
        {
            case "#":
                return "";
            case "file>":
                var name = text.Split(' ', 2);
                await File.WriteAllTextAsync(
                    Path.Combine(_folder, name[0]),
                    name.ElementAtOrDefault(1)?.Replace(@"\n", "\n", StringComparison.Ordinal) ?? "",
                    cancellationToken
                );
                return "";
            case "sql>":
                await installation!.Database.ExecuteAsync(Fill(text), cancellationToken);
                return "";
            case "sql":
                var query = text.Split("> ", 2);
                _values[query[0]] = (await installation!.Database.ScalarAsync<string>(Fill(query[1]), cancellationToken))!;
                return "";
            default:
                return await RunAsync(Fill(text), cancellationToken);
        }
    }

    private async Task<string> RunAsync(string command, CancellationToken cancellationToken)
    {
        var words = Word().Matches(command).Select(m => m.Value.Trim('"')).ToList();
        var variables = words.TakeWhile(w => w != "archiver").Select(w => w.Split('=', 2)).ToDictionary(w => w[0], w => (string?)w[1]);
        string[] arguments = [.. words.Skip(variables.Count + 1)];
        ProcessResult result;
        if (installation is null)
        {
            result = await ArchiverProcess.RunAsync(arguments, variables, cancellationToken, folder: _folder);
        }
        else
        {
            await using var invocation = installation.Invoke(Stream.Null, _folder, variables, arguments);
            result = await invocation.WaitForEndAsync(cancellationToken);
        }
        // The log is for programs here, and tests of its own look at it.
        var said = result.Error.Split('\n').Where(l => l.Length > 0 && !l.StartsWith('{'));
        if (result.ExitCode != 0)
            Assert.Contains(said, l => l.StartsWith("archiver: ", StringComparison.Ordinal));
        return Mask($"{result.Output}{string.Concat(said.Select(l => $"{l}\n"))}exit {result.ExitCode}\n");
    }

    private string Fill(string text) =>
        _values.Aggregate(text, (filled, value) => filled.Replace($"{{{value.Key}}}", value.Value, StringComparison.Ordinal));

    private static string Program => ArchiverProcess.AlwaysProcess ? $"{ArchiverExecutable.Folder}/" : AppContext.BaseDirectory;

    /// <summary>What differs from run to run and from machine to machine, replaced by what it is.</summary>
    private string Mask(string text)
    {
        (string Pattern, string With)[] masks =
        [
            (Regex.Escape(_folder), "<folder>"),
            (Regex.Escape(Program), "<program>/"),
            (Regex.Escape($"{Environment.UserName}@{Environment.MachineName}"), "<me>"),
            (@"\b\d{4}/\d\d/(?=<id-)", "<month>/"),
            (@"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|\+00(:00)?)?", "<time>"),
            (@"\b\d+(\.\d+)? (s|ms)\b", "<seconds>"),
            (@"\b\d+(\.\d+)? (B|kB|MB)\b", "<size>"),
            (@"\b\d+ (days?|hours?)\b", "<age>"),
            (@"(127\.0\.0\.1|localhost):\d+", "<server>"),
            (@"(?<=""system_id"":"")\d+", "<system>"),
            (@"(?<=""server"":"")[\d.]+", "<version>"),
            (Regex.Escape(installation?.Database.Name ?? "<database>"), "<database>"),
            (Regex.Escape(installation?.Bucket.Settings.Bucket ?? "<bucket>"), "<bucket>"),
            // The first line of progress always comes; how many follow depends on how busy the machine is.
            (
                @"(?m)^(\S+: \d+ of \d+ (?:session|archive|object)s?)(?: \(.*\))?\n(?:\S+: \d+ of \d+ (?:session|archive|object)s?(?: \(.*\))?\n)+",
                "$1\n"
            ),
            (@"(?<=\S)  +", "  "),
        ];
        text = Uuid().Replace(text, m => _ids.TryGetValue(m.Value, out var known) ? known : _ids[m.Value] = $"<id-{_ids.Count + 1}>");
        return masks.Aggregate(text, (masked, mask) => Regex.Replace(masked, mask.Pattern, mask.With));
    }

    [GeneratedRegex(@"^(\$|#|file>|sql>|sql \w+>) ")]
    private static partial Regex Step();

    [GeneratedRegex("""[^\s"]*"[^"]*"|\S+""")]
    private static partial Regex Word();

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")]
    private static partial Regex Uuid();
}
