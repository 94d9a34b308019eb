using Archiver.Core.Settings;

namespace Archiver.Core.Configuration;

/// <summary>Section <c>Discard</c> as written. Nothing is discarded unless <see cref="After"/> is stated.</summary>
internal sealed class DiscardOptions
{
    public string? After { get; set; }

    public string? Notice { get; set; }

    public DiscardSettings Read(ValueReader read)
    {
        var defaults = new DiscardSettings();
        return new()
        {
            After = read.Duration(After, ValueReader.LongestAge),
            Notice = read.Duration(Notice, ValueReader.LongestAge) ?? defaults.Notice,
        };
    }
}
