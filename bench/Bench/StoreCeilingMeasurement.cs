using System.Diagnostics;
using Npgsql;

namespace Archiver.Bench;

/// <summary>
/// What the store itself sustains for one PUT and one GET a session, 16 at a time, with nothing else to do on the machine.
/// </summary>
internal sealed class StoreCeilingMeasurement(
    BenchEnvironment environment,
    SampleDatabase database,
    string template,
    int sessions,
    CpuClock cpu
) : IMeasurement
{
    private const int Concurrency = 16;

    private List<byte[]>? _documents;
    // Of its own: the store refuses a key that another measurement has put.
    private readonly string _keys = $"ceiling/{Guid.NewGuid():N}";
    private int _round;

    public string Name => "store ceiling";

    public string Description =>
        "one PUT and one GET of each session's document, the archiver's own requests by the leanest client, "
        + $"{Concurrency} at a time, nothing else";

    public async Task<IReadOnlyList<Measured>> MeasureAsync(CancellationToken cancellationToken)
    {
        _documents ??= await ReadAsync(cancellationToken);
        using var s3 = new LeanS3(environment);
        var options = new ParallelOptions { MaxDegreeOfParallelism = Concurrency, CancellationToken = cancellationToken };
        var round = _round++;
        await Parallel.ForEachAsync(Enumerable.Range(0, Concurrency), options, async (i, token) =>
            await s3.PutAsync($"{_keys}/{round}/warm/{i}", [1], token)
        );
        var before = cpu.Read();
        var started = Stopwatch.GetTimestamp();
        await Parallel.ForEachAsync(Enumerable.Range(0, _documents.Count), options, async (i, token) =>
        {
            await s3.PutAsync($"{_keys}/{round}/{i}.json.gz", _documents[i], token);
            await s3.GetAsync($"{_keys}/{round}/{i}.json.gz", token);
        });
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        return [new(Name, _documents.Count, seconds, CpuClock.Between(before, cpu.Read()))];
    }

    private async Task<List<byte[]>> ReadAsync(CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(database.ConnectionString(template));
        await connection.OpenAsync(cancellationToken);
        List<byte[]> documents = [];
        foreach (var id in await SessionDocuments.OldestAsync(connection, sessions, cancellationToken))
            documents.Add(await SessionDocuments.ReadAsync(connection, id, cancellationToken));
        await connection.CloseAsync();
        NpgsqlConnection.ClearAllPools();
        return documents;
    }
}
