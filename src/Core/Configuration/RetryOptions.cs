using Archiver.Core.Settings;

namespace Archiver.Core.Configuration;

/// <summary>Section <c>Retry</c> as written.</summary>
internal sealed class RetryOptions
{
    public string? MaxAttempts { get; set; }

    public string? Budget { get; set; }

    public RetrySettings Read(ValueReader read)
    {
        var defaults = new RetrySettings();
        return new()
        {
            MaxAttempts = read.Count(MaxAttempts) ?? defaults.MaxAttempts,
            Budget = read.Duration(Budget, ValueReader.LongestWait) ?? defaults.Budget,
        };
    }
}
