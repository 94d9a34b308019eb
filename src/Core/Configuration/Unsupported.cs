using Archiver.Core.Diagnostics;
using Archiver.Core.Policies;

namespace Archiver.Core.Configuration;

/// <summary>
/// Settings that are documented and not built yet. They are refused, not ignored: a run that overlooks <c>Delete: Nothing</c> deletes what
/// somebody wanted to keep. Whoever builds one takes its line out.
/// </summary>
internal static class Unsupported
{
    /// <exception cref="ArchiverException">Kind Configuration, with every such setting of every source.</exception>
    public static void Refuse(ArchiverSettings settings) =>
        Refuse(settings.Sources.SelectMany(s => s.Policies).SelectMany(OfPolicy));

    /// <exception cref="ArchiverException">Kind Configuration, with every such setting that concerns this policy.</exception>
    public static void Refuse(ArchiverSettings settings, Policy policy) =>
        Refuse(OfPolicy(policy));

    private static void Refuse(IEnumerable<string> lines)
    {
        var problems = lines.ToList();
        if (problems.Count > 0)
            throw new ArchiverException(FailureKind.Configuration, $"Not supported yet by this version:\n{string.Join('\n', problems)}");
    }

    private static IEnumerable<string> OfPolicy(Policy policy)
    {
        var path = $"{ArchiverConfiguration.SectionName}:Sources:{policy.Source}:Policies:{policy.Name}";
        if (policy.DeleteAfter > TimeSpan.Zero)
            yield return $"{path}:DeleteAfter: {Duration.Format(policy.DeleteAfter)}";
    }
}
