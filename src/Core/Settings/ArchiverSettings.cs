using Archiver.Core.Diagnostics;

namespace Archiver.Core.Settings;

/// <summary>
/// The whole configuration, validated: whoever holds one needs no further check. docs/configuration.md has keys and defaults.
/// </summary>
public sealed record ArchiverSettings
{
    public required IReadOnlyList<SourceSettings> Sources { get; init; }

    public required StorageSettings Storage { get; init; }

    public BatchSettings Batch { get; init; } = new();

    public RetrySettings Retry { get; init; } = new();

    public SafetySettings Safety { get; init; } = new();

    public ScheduleSettings Schedule { get; init; } = new();

    public DiscardSettings Discard { get; init; } = new();

    public GrowthSettings Growth { get; init; } = new();

    public CostSettings Cost { get; init; } = new();

    public HttpSettings Http { get; init; } = new();

    /// <summary>Create or upgrade the ledger at start.</summary>
    public bool AutoMigrate { get; init; } = true;

    /// <summary>The source of that name.</summary>
    /// <exception cref="ArchiverException">There is none; kind Configuration.</exception>
    internal SourceSettings Find(string source) =>
        Sources.FirstOrDefault(s => s.Name == source)
        ?? throw new ArchiverException(FailureKind.Configuration, $"There is no source '{source}'.");
}

/// <summary>Bounds of one batch and manners towards the database.</summary>
public sealed record BatchSettings
{
    public int Sessions { get; init; } = 1000;

    public int Rows { get; init; } = 50_000;

    /// <summary>Bytes of a batch's values before compression.</summary>
    public long Bytes { get; init; } = 64L << 20;

    /// <summary>Batches between export and delete at once.</summary>
    public int InFlight { get; init; } = 2;

    public BatchPause Pause { get; init; }

    public TimeSpan StatementTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Time for a statement about this many rows and bytes: one large session may take as much longer as it is larger than a batch.
    /// </summary>
    public TimeSpan TimeoutFor(long rows, long bytes = 0) =>
        StatementTimeout * Math.Max(1.0, Math.Max((double)rows / Rows, (double)bytes / Bytes));

    /// <summary>Below the server's deadlock_timeout, or the application becomes the deadlock's victim.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromMilliseconds(300);

    public TimeSpan? MaxReplicationLag { get; init; }

    /// <summary>Other clients that the server may be at work for when a batch is taken.</summary>
    public int? MaxActive { get; init; }
}

/// <summary>How long to go on against errors that may pass.</summary>
public sealed record RetrySettings
{
    /// <summary>Runs that may fail on one session before it is quarantined.</summary>
    public int MaxAttempts { get; init; } = 5;

    /// <summary>Time after the first failure of an operation during which it is tried again.</summary>
    public TimeSpan Budget { get; init; } = TimeSpan.FromMinutes(10);
}

public sealed record SafetySettings
{
    /// <summary>Share of a source's sessions that one run may take before the trip wire asks.</summary>
    public double MaxShare { get; init; } = 0.25;

    /// <summary>Age below which reconcile removes nothing.</summary>
    public TimeSpan ReconcileAge { get; init; } = TimeSpan.FromHours(24);
}

public sealed record ScheduleSettings
{
    /// <summary>Zone in which cron expressions are read.</summary>
    public TimeZoneInfo TimeZone { get; init; } = TimeZoneInfo.Utc;

    public bool Clustered { get; init; }

    public int Shards { get; init; } = 1;

    /// <summary>When the worker verifies archives, as a cron expression; null: it does not.</summary>
    public string? Verify { get; init; }

    /// <summary>Archives that one scheduled verification reads.</summary>
    public SampleSize VerifySample { get; init; } = SampleSize.Of(1000);

    /// <summary>When the worker rehearses restores; null: it does not.</summary>
    public string? RestoreDrill { get; init; }

    /// <summary>Restores that one scheduled drill rehearses.</summary>
    public SampleSize RestoreDrillSample { get; init; } = SampleSize.Of(50);

    /// <summary>When the worker reconciles, fixing nothing; null: it does not.</summary>
    public string? Reconcile { get; init; }
}

/// <summary>Prices of the store, for status. Without them only bytes and requests are shown.</summary>
public sealed record CostSettings
{
    /// <summary>Of 10^9 bytes kept for a month.</summary>
    public decimal? PricePerGBMonth { get; init; }

    public decimal? PricePer1000Requests { get; init; }

    /// <summary>What the prices are in; only shown.</summary>
    public string Currency { get; init; } = "USD";
}

public sealed record DiscardSettings
{
    /// <summary>Age at which an archive ends; null keeps archives for ever.</summary>
    public TimeSpan? After { get; init; }

    public TimeSpan Notice { get; init; } = TimeSpan.FromDays(30);
}

/// <summary>Table sizes in bytes above which status warns.</summary>
public sealed record GrowthSettings
{
    public long SessionsTable { get; init; } = 10_000_000;

    public long MessagesTable { get; init; } = 200_000_000;
}

public sealed record HttpSettings
{
    public string Urls { get; init; } = "http://127.0.0.1:8080";

    /// <summary>Null turns every route but health off.</summary>
    public string? ApiKey { get; init; }

    /// <summary>Opens <c>/metrics</c> and nothing else.</summary>
    public string? MetricsKey { get; init; }
}
