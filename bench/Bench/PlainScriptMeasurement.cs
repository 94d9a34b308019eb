using System.Diagnostics;
using Npgsql;

namespace Archiver.Bench;

/// <summary>
/// What a careful person writes in an afternoon: one session at a time, JSON from the server, gzip, PUT, GET and compare, then one
/// transaction with two deletes. Its S3 client is the lean one, so the comparison does not gain from a slow library.
/// </summary>
internal sealed class PlainScriptMeasurement(BenchEnvironment environment, SampleDatabase database, string template, int sessions, CpuClock cpu) : IMeasurement
{
    private const string Delete = """
        DELETE FROM public.chat_messages WHERE session_id = $1
        """;

    private const string DeleteSession = "DELETE FROM public.chat_sessions WHERE session_id = $1";

    private int _round;

    public string Name => "plain script";

    public string Description => "one session at a time: SELECT as JSON, gzip, PUT, GET and compare, one transaction with two DELETEs";

    public async Task<IReadOnlyList<Measured>> MeasureAsync(CancellationToken cancellationToken)
    {
        var copy = await database.CopyAsync(template, cancellationToken).ConfigureAwait(false);
        try
        {
            using var s3 = new LeanS3(environment);
            await using var connection = new NpgsqlConnection(database.ConnectionString(copy));
            await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
            await s3.PutAsync("plain/warm", [1], cancellationToken).ConfigureAwait(false);
            var before = cpu.Read();
            var started = Stopwatch.GetTimestamp();
            foreach (var id in await SessionDocuments.OldestAsync(connection, sessions, cancellationToken).ConfigureAwait(false))
                await ArchiveAsync(connection, s3, id, cancellationToken).ConfigureAwait(false);
            var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            _round++;
            return [new(Name, sessions, seconds, CpuClock.Between(before, cpu.Read()))];
        }
        finally
        {
            await database.DropAsync(copy, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task ArchiveAsync(NpgsqlConnection connection, LeanS3 s3, Guid id, CancellationToken cancellationToken)
    {
        var document = await SessionDocuments.ReadAsync(connection, id, cancellationToken).ConfigureAwait(false);
        var key = $"plain/{_round}/{id}.json.gz";
        await s3.PutAsync(key, document, cancellationToken).ConfigureAwait(false);
        var stored = await s3.GetAsync(key, cancellationToken).ConfigureAwait(false);
        if (!document.AsSpan().SequenceEqual(stored))
            throw new InvalidDataException($"{key} is not what was put.");
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        foreach (var sql in (string[])[Delete, DeleteSession])
        {
            await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = id } } };
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
    }
}
