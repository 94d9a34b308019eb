using System.CommandLine;
using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver health</c>: asks the worker beside it, for container images that have neither a shell nor curl.</summary>
internal sealed class HealthVerb(ArchiverSettings settings, Terminal terminal) : IVerb
{
    /// <summary>Shorter than any orchestrator waits for the command.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    private static readonly Option<bool> Live = new("--live")
    {
        Description = "Only whether the worker answers: one that waits for its database is not ready, but needs no restart",
    };

    private static readonly Option<Uri?> Url = new("--url")
    {
        Description = "Where the worker listens, if not at Http:Urls of the configuration",
        HelpName = "url",
        CustomParser = result =>
            Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var url) && url.Scheme == Uri.UriSchemeHttp ? url : Refuse(result),
    };

    public static Command Describe() =>
        new(
            "health",
            """
            Asks the worker that runs on this machine, or in this container, whether it is ready. Exit code 0: it is; 1: it is not, or
            does not answer.
            Example: archiver health --live
            """
        )
        {
            Live,
            Url,
        };

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var live = parse.GetValue(Live);
        var url = new Uri(parse.GetValue(Url) ?? Address(settings.Http.Urls), live ? "/health/live" : "/health/ready");
        try
        {
            // Never through a proxy: it is this machine.
            using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { Timeout = Patience };
            using var response = await http.GetAsync(url, cancellationToken);
            if (response.IsSuccessStatusCode)
            {
                terminal.WriteLine(live ? "live" : "ready");
                return ExitCode.Done;
            }
            var body = await response.Content.ReadAsStringAsync(cancellationToken);
            terminal.Fail($"the worker at {url.Authority} is not {(live ? "live" : "ready")}: {(int)response.StatusCode} {body}");
        }
        catch (HttpRequestException exception)
        {
            terminal.Fail($"no worker answers at {url.Authority}: {exception.Message}");
        }
        catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            terminal.Fail($"the worker at {url.Authority} does not answer within {Patience.TotalSeconds:0} s");
        }
        return ExitCode.Failed;
    }

    /// <summary>How this machine reaches the first of these listening addresses.</summary>
    internal static Uri Address(string urls)
    {
        var first = urls.Split(';')[0]
            .Replace("://*", "://0.0.0.0", StringComparison.Ordinal)
            .Replace("://+", "://0.0.0.0", StringComparison.Ordinal);
        var url = new UriBuilder(first);
        if (url.Port == 0)
            throw new ArchiverException(
                FailureKind.Configuration,
                "Http:Urls leaves the port to the system, so the worker's address is not known: give it with --url"
            );
        url.Host = url.Host switch
        {
            "0.0.0.0" => "127.0.0.1",
            "[::]" => "[::1]",
            var host => host,
        };
        return url.Uri;
    }

    private static Uri? Refuse(System.CommandLine.Parsing.ArgumentResult result)
    {
        result.AddError($"--url must be an http URL such as http://127.0.0.1:8080, but is '{result.Tokens[0].Value}'");
        return null;
    }
}
