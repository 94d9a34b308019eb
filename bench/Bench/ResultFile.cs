using System.Text.Json;

namespace Archiver.Bench;

/// <summary>What one command found, as it is kept in <c>bench/results</c>; RESULTS.md is made of these.</summary>
internal sealed record ResultFile
{
    private static readonly JsonSerializerOptions Written = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary><c>compare</c>, <c>long</c> or <c>memory</c>.</summary>
    public required string Kind { get; init; }

    public required string Date { get; init; }

    public required Machine Machine { get; init; }

    public int Rounds { get; init; } = 1;

    public IReadOnlyList<ResultRow> Rows { get; init; } = [];

    public IReadOnlyList<ResultRatio> Ratios { get; init; } = [];

    public IReadOnlyList<ResultCurve> Curves { get; init; } = [];

    public static async Task<ResultFile?> ReadAsync(string folder, string kind, CancellationToken cancellationToken)
    {
        var path = Path.Combine(folder, $"{kind}.json");
        return File.Exists(path)
            ? JsonSerializer.Deserialize<ResultFile>(await File.ReadAllTextAsync(path, cancellationToken), Written)
            : null;
    }

    public async Task WriteAsync(string folder, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(
            Path.Combine(folder, $"{Kind}.json"),
            JsonSerializer.Serialize(this, Written) + "\n",
            cancellationToken
        );
    }
}

/// <summary>Medians over the rounds of one measurement.</summary>
/// <param name="CpuPerThousand">CPU milliseconds for 1,000 sessions, by program.</param>
internal sealed record ResultRow(
    string Name,
    string Description,
    long Sessions,
    double Seconds,
    double Fastest,
    double Slowest,
    double PerSecond,
    IReadOnlyDictionary<string, double> CpuPerThousand
);

/// <summary>A figure with a limit.</summary>
/// <param name="Value">Median of the rounds, each compared within itself.</param>
/// <param name="Bound"><c>at most</c> or <c>at least</c>.</param>
internal sealed record ResultRatio(string Name, double Value, string Unit, string Bound, double Limit)
{
    public bool Met => Bound == "at most" ? Value <= Limit : Value >= Limit;
}

/// <summary>How something went while it ran.</summary>
internal sealed record ResultCurve(string Name, IReadOnlyList<CurvePoint> Points);

/// <summary>A moment of a run.</summary>
internal sealed record CurvePoint(double Seconds, long Sessions, double ResidentMegabytes);
