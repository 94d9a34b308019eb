using System.Globalization;
using Archiver.Core.Discovery;
using Archiver.Core.Settings;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary>
/// What <see cref="InitVerb"/> asks on a terminal. An empty line takes what stands in brackets. Where nobody can be asked, the same
/// questions are told together with the options that answer them.
/// </summary>
internal sealed class InitQuestions(Terminal terminal) : IDisposable
{
    /// <summary>So many candidates are shown.</summary>
    private const int Shown = 5;

    private readonly StreamReader _input = new(terminal.In, leaveOpen: true);

    /// <summary>What is open, and which options answer it.</summary>
    public static IReadOnlyList<string> Open(Guess guess, InitRequest request)
    {
        List<string> open = [];
        if (guess.IsAmbiguous && request.Sessions is null)
            open.Add(
                "Which table holds the sessions? --sessions "
                    + $"{string.Join(" or --sessions ", guess.Candidates.Take(Shown).Select(c => c.Table.Table))}"
            );
        if (request.Storage.IsOpen)
            open.Add("Where do archives go? --bucket <name> (with --endpoint, --region, --path-style), or --folder <path>");
        return open;
    }

    /// <summary>Asks for the table of sessions.</summary>
    /// <returns>What was said; null for the best guess.</returns>
    public async Task<string?> SessionsAsync(Guess guess, CancellationToken cancellationToken)
    {
        var shown = guess.Candidates.Take(Shown).ToList();
        for (var i = 0; i < shown.Count; i++)
        {
            var (table, reasons) = (shown[i].Table, string.Join("; ", shown[i].Reasons));
            terminal.Note(
                string.Create(CultureInfo.InvariantCulture, $"  {i + 1}  {table.Table}: {ConfigurationText.SizeOf(table)}; {reasons}")
            );
        }
        var answer = await AskAsync("Which table holds the sessions? A number, or a table", "1", cancellationToken);
        return int.TryParse(answer, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= shown.Count
            ? number == 1
                ? null
                : shown[number - 1].Table.Table.ToString()
            : answer;
    }

    /// <summary>Asks for what the proposal leaves to the person.</summary>
    public async Task<InitRequest> RestAsync(Proposal proposal, InitRequest request, CancellationToken cancellationToken)
    {
        if (proposal.Children.Any(c => !c.OfPreset))
        {
            terminal.Note($"Archived with a session, and deleted with it: {string.Join(", ", proposal.Children.Select(c => c.Table))}");
            var without = await AskAsync("Which of them must stay? Tables, separated by commas", "none", cancellationToken);
            if (without != "none")
                request = request with { Without = [.. request.Without, .. InitOptions.List(without)] };
        }
        var idle = await AskAsync("Archive what nobody has used for how long?", request.IdleFor, cancellationToken);
        while (!Duration.TryParse(idle, out var age) || age == TimeSpan.Zero)
            idle = await AskAsync($"That is no age: {Duration.Form}", request.IdleFor, cancellationToken);
        request = request with { IdleFor = idle };
        if (!request.Storage.IsOpen)
            return request;
        var place = await AskAsync(
            "Where do archives go? The name of a bucket, or the path of a folder that begins with / or .",
            "fill it in later",
            cancellationToken
        );
        return place switch
        {
            "fill it in later" => request,
            ['/' or '.', ..] => request with { Storage = request.Storage with { Folder = place } },
            _ => request with { Storage = await BucketAsync(request.Storage with { Bucket = place }, cancellationToken) },
        };
    }

    public void Dispose() => _input.Dispose();

    private async Task<ProposedStorage> BucketAsync(ProposedStorage storage, CancellationToken cancellationToken)
    {
        var endpoint = storage.Endpoint ?? await AskAsync("URL of its server", "AWS", cancellationToken);
        return endpoint == "AWS"
            ? storage with
            {
                Region = storage.Region ?? await AskAsync("Its region", "us-east-1", cancellationToken),
            }
            : storage with
            {
                Endpoint = endpoint,
                PathStyle = true,
            };
    }

    private async Task<string> AskAsync(string question, string otherwise, CancellationToken cancellationToken)
    {
        await terminal.Error.WriteAsync($"{question} [{otherwise}]: ");
        var line = await _input.ReadLineAsync(cancellationToken)
            ?? throw InitOptions.Wrong("The answers ended before the questions did. Nothing was written.");
        return line.Trim() is { Length: > 0 } answer ? answer : otherwise;
    }
}
