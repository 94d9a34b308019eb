using Archiver.Core.Diagnostics;
using Archiver.Core.Policies;
using Archiver.Core.Sources;
using Archiver.Core.Storage;

namespace Archiver.Core.Configuration;

/// <summary>
/// Settings that are documented and not built yet. They are refused, not ignored: a run that overlooks <c>Delete: Nothing</c> deletes what
/// somebody wanted to keep. Whoever builds one takes its line out.
/// </summary>
internal static class Unsupported
{
    /// <exception cref="ArchiverException">Kind Configuration, with every such setting of every source.</exception>
    public static void Refuse(ArchiverSettings settings) =>
        Refuse(settings.Sources.SelectMany(s => OfSource(s).Concat(s.Policies.SelectMany(OfPolicy))).Concat(OfProcess(settings)));

    /// <exception cref="ArchiverException">Kind Configuration, with every such setting that concerns this policy.</exception>
    public static void Refuse(ArchiverSettings settings, SourceSettings source, Policy policy) =>
        Refuse(OfSource(source).Concat(OfPolicy(policy)).Concat(OfProcess(settings)));

    private static void Refuse(IEnumerable<string> lines)
    {
        var problems = lines.ToList();
        if (problems.Count > 0)
            throw new ArchiverException(FailureKind.Configuration, $"Not supported yet by this version:\n{string.Join('\n', problems)}");
    }

    private static IEnumerable<string> OfPolicy(Policy policy)
    {
        var path = $"{ArchiverConfiguration.SectionName}:Sources:{policy.Source}:Policies:{policy.Name}";
        if (policy.Action != PolicyAction.Archive)
            yield return $"{path}:Action: {policy.Action}";
        if (policy.Delete != DeleteMode.Session)
            yield return $"{path}:Delete: {policy.Delete}";
        if (policy.DeleteAfter > TimeSpan.Zero)
            yield return $"{path}:DeleteAfter: {Duration.Format(policy.DeleteAfter)}";
    }

    private static IEnumerable<string> OfSource(SourceSettings source)
    {
        if (source.ReplicaConnectionString is not null)
            yield return $"{ArchiverConfiguration.SectionName}:Sources:{source.Name}:ReplicaConnectionString";
    }

    private static IEnumerable<string> OfProcess(ArchiverSettings settings)
    {
        if (settings.Storage.Verify != VerifyMode.ReadBack)
            yield return $"{ArchiverConfiguration.SectionName}:Storage:Verify: {settings.Storage.Verify}";
        if (settings.Batch.MaxReplicationLag is { } lag)
            yield return $"{ArchiverConfiguration.SectionName}:Batch:MaxReplicationLag: {Duration.Format(lag)}";
        if (settings.Schedule.Clustered)
            yield return $"{ArchiverConfiguration.SectionName}:Schedule:Clustered: true";
    }
}
