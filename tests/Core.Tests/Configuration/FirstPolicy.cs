namespace Archiver.Core.Tests.Configuration;

/// <summary>Where the policy of a test stands in the configuration.</summary>
internal static class FirstPolicy
{
    internal const string Path = "Sources:main:Policies:idle";
    internal const string DurationForm = "must be a whole number and a unit (ms, s, m, h, d or y), such as 90d";
}
