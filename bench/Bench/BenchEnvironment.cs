namespace Archiver.Bench;

/// <summary>The throw-away servers that <c>run.sh</c> started, by its environment variables.</summary>
internal sealed record BenchEnvironment
{
    public required string Postgres { get; init; }

    public required string Psql { get; init; }

    public required Uri S3 { get; init; }

    public required string AccessKey { get; init; }

    public required string SecretKey { get; init; }

    public required string Bucket { get; init; }

    /// <summary>The built executable.</summary>
    public required string Archiver { get; init; }

    /// <summary>Root of the working copy.</summary>
    public required string Root { get; init; }

    /// <summary>Process ids of the servers' scripts; the servers are below them.</summary>
    public required int PostgresProcess { get; init; }

    public required int S3Process { get; init; }

    public static BenchEnvironment Read() =>
        new()
        {
            Postgres = Require("BENCH_POSTGRES"),
            Psql = Require("BENCH_PSQL"),
            S3 = new Uri(Require("BENCH_S3_ENDPOINT")),
            AccessKey = Require("BENCH_S3_ACCESS_KEY"),
            SecretKey = Require("BENCH_S3_SECRET_KEY"),
            Bucket = Require("BENCH_BUCKET"),
            Archiver = Require("BENCH_ARCHIVER"),
            Root = Require("BENCH_ROOT"),
            PostgresProcess = int.Parse(Require("BENCH_POSTGRES_PID"), System.Globalization.CultureInfo.InvariantCulture),
            S3Process = int.Parse(Require("BENCH_S3_PID"), System.Globalization.CultureInfo.InvariantCulture),
        };

    private static string Require(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value
            ? value
            : throw new ArgumentException($"{name} is not set: start bench/run.sh instead.");
}
