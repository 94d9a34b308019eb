using System.Globalization;
using System.Net.Sockets;
using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Archiver.Core.Proofs;

/// <summary>Runs one scheduled proof, and notes the result in the ledger and the log.</summary>
internal sealed class ProofRunner(ConnectionCatalog connections, ProofWork work, ILogger<ProofRunner> logger)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Outcomes, good or bad, are in the log and the ledger: the next scheduled time is the retry.</summary>
    /// <exception cref="OperationCanceledException">It was told to stop; the walk goes on where it was.</exception>
    public async Task RunAsync(SourceSettings source, Proof proof, string who, CancellationToken cancellationToken)
    {
        ProofAttempt? attempt = null;
        try
        {
            await using var connection = await connections[source.Name].OpenAsync(cancellationToken);
            attempt = await ProofRecords.BeginAsync(connection, source.Name, proof, cancellationToken);
            if (await work.ProveAsync(connection, source, proof, who, cancellationToken) is { } result)
            {
                // Not on the connection from before: it was idle for as long as the proof took, which may be longer than a network keeps
                // one.
                await using var after = await connections[source.Name].OpenAsync(cancellationToken);
                await ProofRecords.DoneAsync(after, source.Name, proof, result, attempt.BeganAt, cancellationToken);
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
            if (attempt is not null)
                await TakeBackAsync(source, proof, attempt);
            throw;
        }
        catch (Exception exception)
            when (exception
                    is ArchiverException
                        or StorageException
                        or NpgsqlException
                        or SocketException
                        or TimeoutException
                        or IOException
                        or OperationCanceledException
            )
        {
            await FailAsync(source, proof, exception, cancellationToken);
        }
    }

    private async Task TakeBackAsync(SourceSettings source, Proof proof, ProofAttempt attempt)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await using var connection = await connections[source.Name].OpenAsync(patience.Token);
            await ProofRecords.TakeBackAsync(connection, source.Name, proof, attempt, patience.Token);
        }
        catch (Exception exception)
            when (exception is NpgsqlException or SocketException or TimeoutException or IOException or OperationCanceledException)
        {
            logger.ProofNotRecorded(exception, proof.Name(), source.Name);
        }
    }

    private void Log(SourceSettings source, Proof proof, ProofResult result)
    {
        var (name, elapsed) = (proof.Name(), (long)(result.Seconds * 1000));
        if (result.IsClean)
        {
            logger.ProofDone(name, source.Name, result.Checked, elapsed);
            return;
        }
        var found = string.Join(
            ", ",
            result.Found.Where(f => f.Value > 0).Select(f => string.Create(CultureInfo.InvariantCulture, $"{f.Value} {f.Key}"))
        );
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
        catch (Exception other)
            when (other is NpgsqlException or SocketException or TimeoutException or IOException
                && !cancellationToken.IsCancellationRequested
            )
        {
            logger.ProofNotRecorded(other, proof.Name(), source.Name);
        }
    }
}
