using Archiver.Core.Configuration;
using Archiver.Core.Postgres;
using Archiver.Worker.Jobs;

namespace Archiver.Worker.Http;

/// <summary><c>/health/live</c>: the process runs. <c>/health/ready</c>: it can work, so each source's server answers now. Open to everybody, so they name sources and nothing else.</summary>
internal static class HealthEndpoints
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health/live", () => Results.Json(new { status = "live" }));
        routes.MapGet("/health/ready", ReadyAsync);
    }

    private static async Task<IResult> ReadyAsync(
        Readiness readiness, ArchiverSettings settings, ConnectionCatalog connections, CancellationToken cancellationToken)
    {
        var waiting = readiness.WaitingFor;
        if (waiting.Count == 0)
        {
            var answers = await Task.WhenAll(settings.Sources.Select(async s => (s.Name, Up: await AnswersAsync(connections[s.Name], cancellationToken).ConfigureAwait(false)))).ConfigureAwait(false);
            waiting = [.. answers.Where(a => !a.Up).Select(a => a.Name)];
        }
        return waiting.Count == 0
            ? Results.Json(new { status = "ready" })
            : Results.Json(new { status = "not ready", waiting_for = waiting }, statusCode: StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<bool> AnswersAsync(SourceConnections source, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            await using var connection = await source.OpenAsync(patience.Token).ConfigureAwait(false);
            return await connection.ScalarAsync<int>("SELECT 1", patience.Token).ConfigureAwait(false) == 1;
        }
        catch (Exception exception) when (exception is Npgsql.NpgsqlException or System.Net.Sockets.SocketException or TimeoutException or IOException
            || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // The answer is the point here; the wait and the runs log why.
            return false;
        }
    }
}
