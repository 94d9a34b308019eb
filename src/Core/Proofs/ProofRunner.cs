using System.Globalization;
using System.Net.Sockets;
using Archiver.Core.Diagnostics;
using Archiver.Core.Documents;
using Archiver.Core.Postgres;
using Archiver.Core.Reconciliation;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Archiver.Core.Proofs;

/// <summary>
/// Does one scheduled proof by the code of its verb, and notes the result. Verifications and drills walk over the whole archive, part by part, and read
/// again each time what was damaged before.
/// </summary>
internal sealed class ProofRunner(
    ArchiverSettings settings, ConnectionCatalog connections, ArchiveVerifier verifier, Reconciler reconciler, TimeProvider time, ILogger<ProofRunner> logger)
{
    private const string Clock = "SELECT clock_timestamp()";

    private const string Objects = "SELECT count(*) FROM archiver.objects AS o WHERE o.source = $1 AND o.state = 'stored'";

    private static readonly ReadProblem[] WhenRead = [ReadProblem.Missing, ReadProblem.Hidden, ReadProblem.Changed, ReadProblem.Unreadable, ReadProblem.NeedsThawing];

    /// <summary>Outcomes, good or bad, are in the log and the ledger: the next scheduled time is the retry.</summary>
    /// <exception cref="OperationCanceledException">It was told to stop; the walk goes on where it was.</exception>
    public async Task RunAsync(SourceSettings source, Proof proof, string who, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await connections[source.Name].OpenAsync(cancellationToken);
            var began = await connection.ScalarAsync<DateTime>(Clock, cancellationToken);
            if (await ProveAsync(connection, source, proof, who, cancellationToken) is { } result)
            {
                // Not on the connection from before: it was idle for as long as the proof took, which may be longer than a network keeps one.
                await using var after = await connections[source.Name].OpenAsync(cancellationToken);
                await ProofRecords.DoneAsync(after, source.Name, proof, result, new(began, TimeSpan.Zero), cancellationToken);
                Log(source, proof, result);
                return;
            }
            const string Busy = "another worker runs on the source";
            logger.ProofSkipped(proof.Name(), source.Name, Busy);
            await ProofRecords.NotDoneAsync(connection, source.Name, proof, skipped: true, Busy, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            var name = proof.Name();
            logger.ProofStopped(name, source.Name);
            throw;
        }
        catch (Exception exception) when (exception is ArchiverException or StorageException or NpgsqlException or SocketException or TimeoutException or IOException or OperationCanceledException)
        {
            await FailAsync(source, proof, exception, cancellationToken);
        }
    }

    /// <summary>Null when another worker runs on the source.</summary>
    private Task<ProofResult?> ProveAsync(NpgsqlConnection connection, SourceSettings source, Proof proof, string who, CancellationToken cancellationToken) => proof switch
    {
        Proof.Verify => ReadAsync(connection, source, proof, settings.Schedule.VerifySample, cancellationToken),
        Proof.RestoreDrill => ReadAsync(connection, source, proof, settings.Schedule.RestoreDrillSample, cancellationToken),
        Proof.Reconcile => ReconcileAsync(connection, source, who, cancellationToken),
        _ => throw new ArgumentOutOfRangeException(nameof(proof), proof, "No such proof."),
    };

    private async Task<ProofResult?> ReadAsync(NpgsqlConnection connection, SourceSettings source, Proof proof, SampleSize sample, CancellationToken cancellationToken)
    {
        var most = sample.From(await ReadableArchives.CountAsync(connection, source.Name, cancellationToken));
        var after = await ProofRecords.PositionAsync(connection, source.Name, proof, cancellationToken);
        var (count, through, isLast) = await ReadableArchives.NextAsync(connection, source.Name, after, most, cancellationToken);
        var damaged = await DamageRecords.KnownAsync(connection, source.Name, proof, most, cancellationToken);
        var drill = proof == Proof.RestoreDrill;
        var report = await verifier.VerifyAsync(
            new VerifyOptions(source.Name, Sample: null, RestoreDrill: drill ? int.MaxValue : 0) { Range = new(after, through, damaged, count + damaged.Count) },
            progress: null, cancellationToken);
        var found = new SortedDictionary<string, long>((drill ? [.. WhenRead, ReadProblem.Refused] : WhenRead).ToDictionary(DamageRecords.Word, p => report.Problems.LongCount(f => f.Problem == p)), StringComparer.Ordinal);
        if (report.DrilledAside > 0)
            logger.DrilledAside(report.DrilledAside, report.Drilled, source.Name);
        return new(report.Checked, found, isLast ? 0 : through, report.Elapsed.TotalSeconds);
    }

    private async Task<ProofResult?> ReconcileAsync(NpgsqlConnection connection, SourceSettings source, string who, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var objects = await connection.ScalarAsync<long>(Objects, cancellationToken, PgParameter.Text(source.Name));
        if (await reconciler.TryRunAsync(source.Name, fix: false, who, cancellationToken) is not { } report)
            return null;
        var found = new SortedDictionary<string, long>(StringComparer.Ordinal)
        {
            ["missing"] = report.Missing.Count,
            ["hidden"] = report.Hidden.Count,
            ["copies"] = report.Copies.Count,
            ["elsewhere"] = report.Elsewhere.Values.Sum(),
            ["foreign"] = report.Foreign.Count,
            ["unreadable"] = report.Unreadable.Count,
            ["unrecorded"] = report.Unrecorded.Count,
            ["live_and_archived"] = report.LiveAndArchived.Count,
            ["deleted_since"] = report.DeletedSince.Count,
            ["orphans"] = report.Orphans.Values.Sum(),
        };
        return new(objects, found, Position: 0, time.GetElapsedTime(started).TotalSeconds);
    }

    private void Log(SourceSettings source, Proof proof, ProofResult result)
    {
        var (name, elapsed) = (proof.Name(), (long)(result.Seconds * 1000));
        if (result.IsClean)
        {
            logger.ProofDone(name, source.Name, result.Checked, elapsed);
            return;
        }
        var found = string.Join(", ", result.Found.Where(f => f.Value > 0).Select(f => string.Create(CultureInfo.InvariantCulture, $"{f.Value} {f.Key}")));
        logger.ProofFound(name, source.Name, found, result.Checked, elapsed);
    }

    private async Task FailAsync(SourceSettings source, Proof proof, Exception exception, CancellationToken cancellationToken)
    {
        var why = exception switch
        {
            ArchiverException or StorageException => exception.Message,
            OperationCanceledException => "the lock on the source was lost",
            _ => (await connections[source.Name].ForPersonAsync(exception)).Message,
        };
        logger.ProofFailed(proof.Name(), source.Name, why);
        try
        {
            await using var connection = await connections[source.Name].OpenAsync(cancellationToken);
            await ProofRecords.NotDoneAsync(connection, source.Name, proof, skipped: false, why, cancellationToken);
        }
        catch (Exception other) when (other is NpgsqlException or SocketException or TimeoutException or IOException && !cancellationToken.IsCancellationRequested)
        {
            logger.ProofNotRecorded(other, proof.Name(), source.Name);
        }
    }
}
