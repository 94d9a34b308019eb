using System.Globalization;

namespace Archiver.Core.Diagnostics;

/// <summary>Counts in sentences.</summary>
internal static class Counted
{
    /// <summary><c>1 session</c>, <c>2000 sessions</c>.</summary>
    public static string Of(long count, string one) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {one}{(count == 1 ? "" : "s")}");
}
