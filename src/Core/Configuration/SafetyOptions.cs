using Archiver.Core.Settings;

namespace Archiver.Core.Configuration;

/// <summary>Section <c>Safety</c> as written.</summary>
internal sealed class SafetyOptions
{
    public string? MaxShare { get; set; }

    public string? ReconcileAge { get; set; }

    public SafetySettings Read(ValueReader read)
    {
        var defaults = new SafetySettings();
        return new()
        {
            MaxShare = read.Share(MaxShare) ?? defaults.MaxShare,
            // Zero would let reconcile take an upload in progress for a leftover.
            ReconcileAge = read.Duration(ReconcileAge, ValueReader.LongestAge) ?? defaults.ReconcileAge,
        };
    }
}
