using System.Text.RegularExpressions;
using Archiver.Core.Configuration;
using Archiver.Core.Inspection;
using Archiver.Core.Settings;

namespace Archiver.Core.Discovery;

/// <summary>A known application whose tables are all there, with all the columns that its mapping names.</summary>
/// <param name="Name">The preset.</param>
/// <param name="Map">Its mapping, in the schema where the tables are.</param>
/// <param name="Moved">That is another schema than the preset's.</param>
/// <param name="Columns">How many columns fit; of two presets that fit the one of more is the closer.</param>
internal sealed partial record PresetMatch(string Name, SourceMap Map, bool Moved, int Columns)
{
    /// <summary>Tables that the application goes on to use when its sessions are gone, in the schema where its tables are.</summary>
    public IReadOnlyList<TableName> Leaves => [.. Presets.Get(Name).Leaves.Select(t => t with { Schema = Map.Session.Table.Schema })];

    /// <summary>What the preset wants of a session besides its age: those conditions whose columns are there, and the others.</summary>
    public ILookup<bool, string> Where(DatabaseFacts facts) =>
        Presets
            .Get(Name)
            .Where.ToLookup(condition =>
                Column().Matches(condition).All(m => facts.Table(Map.Session.Table)?.Column(m.Groups[1].Value) is not null)
            );

    /// <summary>Every preset that fits, the closest first.</summary>
    public static IReadOnlyList<PresetMatch> Of(DatabaseFacts facts) =>
        [
            .. Presets
                .Names.Select(Presets.Get)
                .SelectMany(p => Schemas(facts, p.Map).Select(s => Of(facts, p.Name, p.Map, s)))
                .OfType<PresetMatch>()
                .OrderByDescending(m => m.Columns)
                .ThenBy(m => m.Moved)
                .ThenBy(m => m.Name, StringComparer.Ordinal),
        ];

    /// <summary>What a database lacks of a preset, in words.</summary>
    public static string WhyNot(DatabaseFacts facts, string name)
    {
        var map = Presets.Get(name).Map;
        if (Schemas(facts, map).FirstOrDefault() is not { } schema)
            return $"it has no table {map.Session.Table.Name} that role {facts.Role} may read";
        var missing = Missing(facts, name, Present(facts, InSchema(map, schema))).ToList();
        return string.Join(", ", missing.Select(m => $"{m.Table} has no column {m.Column}"));
    }

    private static IEnumerable<string> Schemas(DatabaseFacts facts, SourceMap map) =>
        facts.Tables.Where(t => t.Readable && t.Table.Name == map.Session.Table.Name).Select(t => t.Table.Schema);

    private static PresetMatch? Of(DatabaseFacts facts, string name, SourceMap preset, string schema)
    {
        var map = Present(facts, InSchema(preset, schema));
        return Missing(facts, name, map).Any()
            ? null
            : new(name, map, schema != preset.Session.Table.Schema, Mapped(name, map).DistinctBy(c => (c.Table, c.Column)).Count());
    }

    private static SourceMap InSchema(SourceMap preset, string schema) =>
        preset with
        {
            Session = preset.Session with { Table = preset.Session.Table with { Schema = schema } },
            Children =
            [
                .. preset.Children.Select(c =>
                    c.Table.Schema == preset.Session.Table.Schema ? c with { Table = c.Table with { Schema = schema } } : c
                ),
            ],
        };

    /// <summary>Without what the preset allows to be missing, and is.</summary>
    private static SourceMap Present(DatabaseFacts facts, SourceMap map) =>
        OptionalPart
            .Of(map)
            .Where(p =>
                facts.Table(TableOf(map, p.Table)) is var table
                && (table is null || (p.Column is { } column && table.Column(column) is null))
            )
            .Aggregate(map, (rest, part) => part.TakenFrom(rest));

    private static TableName TableOf(SourceMap map, string name) =>
        name == SourceMap.SessionName ? map.Session.Table : map.Children.First(c => c.Name == name).Table;

    private static IEnumerable<(TableName Table, string Column)> Missing(DatabaseFacts facts, string name, SourceMap map)
    {
        var tables = map.Children.ToDictionary(c => c.Name, c => c.Table);
        tables[SourceMap.SessionName] = map.Session.Table;
        return Mapped(name, map)
            .Select(c => (tables[c.Table], c.Column))
            .Where(c => facts.Table(c.Item1)?.Column(c.Column) is null)
            .Distinct();
    }

    private static IEnumerable<MappedColumn> Mapped(string name, SourceMap map) =>
        MappedColumn.Of(
            new()
            {
                Name = name,
                ConnectionString = "",
                Prefix = "",
                Map = map,
                Policies = [],
            }
        );

    [GeneratedRegex(@"\bs\.(\w+)")]
    private static partial Regex Column();
}
