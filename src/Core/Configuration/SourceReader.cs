using System.Runtime.CompilerServices;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Configuration;

/// <summary>Makes one source with its mapping and its policies.</summary>
internal sealed class SourceReader(ValueReader read, Func<string, string?>? cronProblem)
{
    public SourceSettings Read(SourceOptions raw, string name, string storagePrefix)
    {
        if (Names.Limit(name) is { } limit)
            read.Problem(limit);
        var map = ReadMap(raw);
        if (map?.Session.HasRow is false && raw.Keep is { Length: > 0 })
            read.Problem(nameof(raw.Keep), "names columns of a session's row, and with Session:From sessions have none");
        return new()
        {
            Name = name,
            ConnectionString = ConnectionString(raw.ConnectionString) ?? read.Missing(nameof(raw.ConnectionString)),
            ReplicaConnectionString = ConnectionString(raw.ReplicaConnectionString),
            LockConnectionString = ConnectionString(raw.LockConnectionString),
            TimeZone = read.Zone(raw.TimeZone) is null ? "UTC" : raw.TimeZone!,
            // A refused prefix stays empty, so that it is not reported as another source's as well.
            Prefix = raw.Prefix is null ? storagePrefix : KeyPrefix.Read(read, raw.Prefix) ?? "",
            Keep = read.Texts(raw.Keep) ?? [],
            // Only with a problem on record, so nobody gets to see the stand-in.
            Map = map ?? Presets.Get("ended-at").Map,
            Policies = ReadPolicies(raw.Policies ?? [], name, map),
        };
    }

    /// <summary>The mapping, or null when there is nothing to make one from.</summary>
    private SourceMap? ReadMap(SourceOptions raw)
    {
        if (raw is { Preset: null, Tables: null })
            read.Missing(nameof(raw.Preset), $"is required unless Tables is given: one of {Presets.List}");
        SourceMap? preset = null;
        if (raw.Preset is not null && (preset = Presets.Find(raw.Preset)?.Map) is null)
        {
            read.Bad(nameof(raw.Preset), raw.Preset, $"one of {Presets.List}");
            return null;
        }
        return raw.Tables is null ? preset : new TablesReader(read.Section(nameof(raw.Tables))).Read(raw.Tables, preset);
    }

    /// <summary>Nothing of a connection string is ever shown, nor what Npgsql says of it: that repeats parts.</summary>
    private string? ConnectionString(string? raw, [CallerArgumentExpression(nameof(raw))] string key = "")
    {
        if (read.Text(raw, key) is not { } text)
            return null;
        key = key[(key.LastIndexOf('.') + 1)..];
        try
        {
            if (new NpgsqlConnectionStringBuilder(text).Host is { Length: > 0 })
            {
                // Some contradictions are found when it is used; they belong here, not into the middle of a verb.
                using var _ = ConnectionText.Source(text, pooling: true);
                return text;
            }
            read.Problem(key, "must name a Host (value not shown)");
        }
        catch (Exception)
        {
            // It parses text and opens nothing, and throws whatever comes up, KeyNotFoundException included.
            read.Problem(key, "must be a connection string of Npgsql, such as Host=db;Database=chat;Username=archiver (value not shown)");
        }
        return null;
    }

    private List<Policy> ReadPolicies(Dictionary<string, PolicyOptions> raw, string source, SourceMap? map)
    {
        List<Policy> policies = [];
        foreach (var (name, options) in raw)
        {
            var section = read.Section(nameof(SourceOptions.Policies)).Section(name);
            if (Names.Limit(name) is { } limit)
                section.Problem(limit);
            policies.Add(new PolicyReader(section, cronProblem).Read(options ?? new(), source, name, map));
        }
        return [.. policies.OrderBy(p => p.Order).ThenBy(p => p.Name, StringComparer.Ordinal)];
    }
}
