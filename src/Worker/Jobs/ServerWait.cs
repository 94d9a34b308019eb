using System.Net.Sockets;
using Archiver.Core.Diagnostics;
using Archiver.Core.Inspection;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Worker.Jobs;

/// <summary>
/// Waits until a source can be worked on: its server answers, its ledger is current, inspection has no objection, the store answers.
/// The worker never dies of a server that is down, nor of something there that a person can still put right.
/// </summary>
internal sealed class ServerWait(
    ArchiverSettings settings,
    ConnectionCatalog connections,
    IArchiveStore store,
    Readiness readiness,
    TimeProvider time,
    ILogger<ServerWait> logger
)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(15);

    /// <summary>Returns when the source is ready; each new reason to wait is logged once.</summary>
    public async Task UntilReadyAsync(SourceSettings source, CancellationToken cancellationToken)
    {
        string? said = null;
        for (var pause = FirstPause; await ProblemAsync(source, cancellationToken) is { } problem; pause = Min(pause * 2, LongestPause))
        {
            readiness.Set(source.Name, ready: false);
            if (problem != said)
                logger.Waiting(source.Name, problem);
            said = problem;
            await Task.Delay(pause, time, cancellationToken);
        }
        readiness.Set(source.Name, ready: true);
        if (said is not null)
            logger.SourceReady(source.Name);
    }

    private async Task<string?> ProblemAsync(SourceSettings source, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await connections[source.Name].OpenAsync(cancellationToken);
            await RunScope.PrepareLedgerAsync(connection, settings.AutoMigrate, cancellationToken);
            (await SourceInspector.InspectAsync(connection, source, cancellationToken)).Require(source.Name);
            await SourceRegistry.RegisterAsync(connections[source.Name], connection, source, cancellationToken);
            await store.RefusesOverwriteAsync(source.Prefix, length: 1, cancellationToken);
            // The probe is made once a process; this asks each time. Whether there is such an object does not matter.
            await store.HeadAsync(new ObjectName($"{source.Prefix}/.archiver/ready", VersionId: null), cancellationToken);
            return null;
        }
        catch (Exception exception) when (exception is ArchiverException or StorageException)
        {
            return exception.Message;
        }
        catch (Exception exception)
            when (exception is NpgsqlException or SocketException or TimeoutException or IOException
                && !cancellationToken.IsCancellationRequested
            )
        {
            return (await connections[source.Name].ForPersonAsync(exception)).Message;
        }
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
