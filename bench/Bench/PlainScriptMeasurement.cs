using System.Diagnostics;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Npgsql;

namespace Archiver.Bench;

/// <summary>
/// What a careful person writes in an afternoon: one session at a time, JSON from the server, gzip, PUT, GET and compare, then one
/// transaction with two deletes. Its S3 client is the one that everybody takes, as it comes.
/// </summary>
internal sealed class PlainScriptMeasurement(
    BenchEnvironment environment,
    SampleDatabase database,
    string template,
    int sessions,
    CpuClock cpu
) : IMeasurement
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
        var copy = await database.CopyAsync(template, cancellationToken);
        try
        {
            using var s3 = new AmazonS3Client(
                new BasicAWSCredentials(environment.AccessKey, environment.SecretKey),
                new AmazonS3Config
                {
                    ServiceURL = environment.S3.AbsoluteUri,
                    ForcePathStyle = true,
                    // Without it Ceph refuses every put.
                    RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
                }
            );
            await using var connection = new NpgsqlConnection(database.ConnectionString(copy));
            await connection.OpenAsync(cancellationToken);
            await PutAsync(s3, "plain/warm", [1], cancellationToken);
            var before = cpu.Read();
            var started = Stopwatch.GetTimestamp();
            foreach (var id in await SessionDocuments.OldestAsync(connection, sessions, cancellationToken))
                await ArchiveAsync(connection, s3, id, cancellationToken);
            var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            _round++;
            return [new(Name, sessions, seconds, CpuClock.Between(before, cpu.Read()))];
        }
        finally
        {
            await database.DropAsync(copy, CancellationToken.None);
        }
    }

    private async Task ArchiveAsync(NpgsqlConnection connection, AmazonS3Client s3, Guid id, CancellationToken cancellationToken)
    {
        var document = await SessionDocuments.ReadAsync(connection, id, cancellationToken);
        var key = $"plain/{_round}/{id}.json.gz";
        await PutAsync(s3, key, document, cancellationToken);
        using (var stored = await s3.GetObjectAsync(environment.Bucket, key, cancellationToken))
        using (var body = new MemoryStream())
        {
            await stored.ResponseStream.CopyToAsync(body, cancellationToken);
            if (!document.AsSpan().SequenceEqual(body.ToArray()))
                throw new InvalidDataException($"{key} is not what was put.");
        }
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        foreach (var sql in (string[])[Delete, DeleteSession])
        {
            await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = id } } };
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        await transaction.CommitAsync(cancellationToken);
    }

    private Task<PutObjectResponse> PutAsync(AmazonS3Client s3, string key, byte[] body, CancellationToken cancellationToken) =>
        s3.PutObjectAsync(
            new PutObjectRequest
            {
                BucketName = environment.Bucket,
                Key = key,
                InputStream = new MemoryStream(body, writable: false),
            },
            cancellationToken
        );
}
