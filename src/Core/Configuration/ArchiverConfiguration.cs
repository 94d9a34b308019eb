using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Microsoft.Extensions.Configuration;

namespace Archiver.Core.Configuration;

/// <summary>The way from configuration to settings. Whatever is wrong is reported at once, before anything is tried.</summary>
public static class ArchiverConfiguration
{
    /// <summary>The one section that is read.</summary>
    public const string SectionName = "Archiver";

    /// <summary>Paths of all options, such as <c>Archiver:Sources:{name}:Policies:{name}:IdleFor</c>; all other keys are refused.</summary>
    public static IReadOnlyList<string> KnownKeys { get; } = [.. KnownKey.Root.Paths()];

    /// <summary>Reads and checks everything.</summary>
    /// <param name="configuration">The root of the configuration.</param>
    /// <param name="cronProblem">Says what is wrong with a cron expression, or null: the scheduler's own parser is not known here.</param>
    /// <param name="folder">Where relative paths start; the process's working folder unless told.</param>
    /// <exception cref="ArchiverException">
    /// Kind <see cref="FailureKind.Configuration"/>: every problem with path, limit and value seen, one a line; secrets are not shown.
    /// </exception>
    public static ArchiverSettings Read(IConfiguration configuration, Func<string, string?>? cronProblem = null, string folder = "")
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var problems = new Problems();
        var raw = ConfigurationTree.Bind(configuration, SectionName, problems, folder);
        var settings = ReadSections(raw, new(problems, SectionName), cronProblem, folder);
        problems.ThrowIfAny();
        return settings;
    }

    private static ArchiverSettings ReadSections(ArchiverOptions raw, ValueReader read, Func<string, string?>? cronProblem, string folder)
    {
        var storage = (raw.Storage ?? new()).Read(read.Section(nameof(raw.Storage)));
        if (storage.Path is { } path)
            storage = storage with { Path = Path.Combine(folder, path) };
        var sources = ReadSources(raw.Sources ?? [], read, storage.Prefix, cronProblem);
        if (storage.Verify == VerifyMode.TrialRestore && sources.SelectMany(s => s.Policies).FirstOrDefault(p => p.TakesParts) is { } parts)
            read.Section(nameof(raw.Storage))
                .Problem(
                    nameof(StorageOptions.Verify),
                    $"TrialRestore compares whole sessions, and policy '{parts.FullName}' archives parts "
                        + "(scope Messages): use ReadBack, by which every byte is read back all the same"
                );
        return new()
        {
            Sources = sources,
            Storage = storage,
            Batch = (raw.Batch ?? new()).Read(read.Section(nameof(raw.Batch))),
            Retry = (raw.Retry ?? new()).Read(read.Section(nameof(raw.Retry))),
            Safety = (raw.Safety ?? new()).Read(read.Section(nameof(raw.Safety))),
            Schedule = (raw.Schedule ?? new()).Read(read.Section(nameof(raw.Schedule)), cronProblem),
            Discard = (raw.Discard ?? new()).Read(read.Section(nameof(raw.Discard))),
            Growth = (raw.Growth ?? new()).Read(read.Section(nameof(raw.Growth))),
            Cost = (raw.Cost ?? new()).Read(read.Section(nameof(raw.Cost))),
            Http = (raw.Http ?? new()).Read(read.Section(nameof(raw.Http))),
            AutoMigrate = read.Flag(raw.AutoMigrate) ?? true,
        };
    }

    private static List<SourceSettings> ReadSources(
        Dictionary<string, SourceOptions> raw,
        ValueReader read,
        string storagePrefix,
        Func<string, string?>? cronProblem
    )
    {
        if (raw.Count == 0)
            read.Missing(nameof(ArchiverOptions.Sources), "must name at least one source");
        var section = read.Section(nameof(ArchiverOptions.Sources));
        List<SourceSettings> sources = [];
        foreach (var (name, options) in raw)
        {
            var source = new SourceReader(section.Section(name), cronProblem).Read(options ?? new(), name, storagePrefix);
            SourcesApart.Check(section.Section(name), source, sources);
            sources.Add(source);
        }
        return sources;
    }
}
