namespace Archiver.Core.Configuration;

/// <summary>
/// Section <c>Archiver</c> as written. All values of these options classes are text, because the binder stops at the first value
/// it cannot convert; <see cref="ValueReader"/> converts them and goes on. Null is absent; defaults stand in the settings.
/// </summary>
internal sealed class ArchiverOptions
{
    public Dictionary<string, SourceOptions>? Sources { get; set; }

    public StorageOptions? Storage { get; set; }

    public BatchOptions? Batch { get; set; }

    public RetryOptions? Retry { get; set; }

    public SafetyOptions? Safety { get; set; }

    public ScheduleOptions? Schedule { get; set; }

    public DiscardOptions? Discard { get; set; }

    public GrowthOptions? Growth { get; set; }

    public CostOptions? Cost { get; set; }

    public HttpOptions? Http { get; set; }

    public string? AutoMigrate { get; set; }
}
