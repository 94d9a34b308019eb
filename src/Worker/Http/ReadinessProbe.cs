using System.Net.Sockets;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Status;
using Archiver.Core.Storage;
using Archiver.Worker.Jobs;
using Npgsql;
using Quartz;

namespace Archiver.Worker.Http;

/// <summary>
/// Whether the worker can do its work: each source's server answers, its ledger has this program's version, the store answers, and no
/// policy has gone without success past two of its scheduled times. Anybody may ask, so an answer is kept for a moment and asked for by one
/// at a time.
/// </summary>
internal sealed class ReadinessProbe(
    ArchiverSettings settings,
    Readiness readiness,
    ConnectionCatalog connections,
    IArchiveReader store,
    TimeProvider time
) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(1);

    /// <summary>A run needs time, and two scheduled times may lie close to each other.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromHours(1);

    private readonly SemaphoreSlim _turn = new(1);
    private IReadOnlyDictionary<string, string> _problems = new Dictionary<string, string>();
    private DateTimeOffset? _asked;

    /// <summary>What keeps each source from being ready; empty when all are.</summary>
    public async Task<IReadOnlyDictionary<string, string>> ProblemsAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (time.GetUtcNow() - _asked < KeptFor)
                return _problems;
            var answers = await Task.WhenAll(
                settings.Sources.Select(async s => (s.Name, Problem: await ProblemAsync(s, cancellationToken)))
            );
            _problems = answers.Where(a => a.Problem is not null).ToDictionary(a => a.Name, a => a.Problem!, StringComparer.Ordinal);
            _asked = time.GetUtcNow();
            return _problems;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    private async Task<string?> ProblemAsync(SourceSettings source, CancellationToken cancellationToken)
    {
        if (readiness.WaitingFor.Contains(source.Name))
            return "starting";
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            await using var connection = await connections[source.Name].OpenAsync(patience.Token);
            await Migrator.RequireCurrentAsync(connection, patience.Token);
            var late = await IsLateAsync(connection, source, patience.Token);
            await store.HeadAsync(new ObjectName($"{source.Prefix}/.archiver/ready", VersionId: null), patience.Token);
            return late ? "late" : null;
        }
        // The answer is the point here; the wait and the runs log why.
        catch (ArchiverException)
        {
            return "ledger";
        }
        catch (StorageException)
        {
            return "store";
        }
        catch (Exception exception)
            when (exception is NpgsqlException or SocketException or TimeoutException or IOException
                || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            )
        {
            return "server";
        }
    }

    private async Task<bool> IsLateAsync(NpgsqlConnection connection, SourceSettings source, CancellationToken cancellationToken)
    {
        var successes = await RunHistory.SuccessesAsync(connection, source, settings.Schedule.Shards, cancellationToken);
        // A dry run leaves no run behind that could have succeeded.
        foreach (var policy in source.Policies.Where(p => p is { Paused: false, DryRun: false }))
        {
            if (
                !IsLate(policy, successes[policy.Name].Since)
                || await Pauses.StoppedByAsync(connection, source, policy.Name, cancellationToken) is not null
            )
                continue;
            // The times that passed while it was paused were not missed.
            if (
                await Pauses.ResumedAtAsync(connection, source.Name, policy.Name, cancellationToken) is not { } resumed
                || IsLate(policy, resumed)
            )
                return true;
        }
        return false;
    }

    private bool IsLate(Policy policy, DateTimeOffset last)
    {
        var cron = CronExpression.Parse(policy.Cron).WithTimeZone(settings.Schedule.TimeZone);
        return cron.GetNextValidTimeAfter(last) is { } first
            && cron.GetNextValidTimeAfter(first) is { } second
            && second + Grace < time.GetUtcNow();
    }
}
