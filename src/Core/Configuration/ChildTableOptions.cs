using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Configuration;

/// <summary>One entry of <c>Tables:Children</c> as written.</summary>
internal sealed class ChildTableOptions
{
    [Role]
    public string? Table { get; set; }

    public string? Parent { get; set; }

    [OneOrMore]
    public string[]? ForeignKey { get; set; }

    [OneOrMore]
    public string[]? ParentKey { get; set; }

    public string? Cast { get; set; }

    public Dictionary<string, string>? Where { get; set; }

    [Role]
    [OneOrMore]
    public string[]? Key { get; set; }

    public string[]? Order { get; set; }

    [Role]
    public TimeOptions? Time { get; set; }

    [Role]
    public TimeOptions? Deleted { get; set; }

    /// <summary>The child table; what is not stated comes from the preset's child of that name, if there is one.</summary>
    /// <param name="key">The session's key, where this child's rows make the sessions; else null.</param>
    public ChildTable Read(ValueReader read, string name, ChildTable? preset, KeyColumns? key = null)
    {
        var child = Stated(read, name, preset, key);
        if (child.ForeignKey is not [""] && child.ParentKey is not [""] && child.ForeignKey.Count != child.ParentKey.Count)
            read.Problem(
                nameof(ForeignKey),
                $"must have as many columns as ParentKey, column by column, but has {child.ForeignKey.Count}, "
                    + $"and ParentKey has {child.ParentKey.Count}"
            );
        if (child.Cast is not null && child.ForeignKey.Count > 1)
            read.Problem(nameof(Cast), "is for a ForeignKey of one column");
        return child;
    }

    private ChildTable Stated(ValueReader read, string name, ChildTable? preset, KeyColumns? key) =>
        new()
        {
            Name = name,
            Table = (Table is "" ? null : TableNames.Read(read, Table)) ?? preset?.Table ?? TableNames.Missing(read, nameof(Table)),
            Parent = read.Text(Parent) ?? preset?.Parent ?? SourceMap.SessionName,
            ForeignKey = TableNames.Key(read, ForeignKey) ?? preset?.ForeignKey ?? key ?? read.Missing(nameof(ForeignKey)),
            ParentKey = TableNames.Key(read, ParentKey) ?? preset?.ParentKey ?? key ?? read.Missing(nameof(ParentKey)),
            Cast = LinkCast.Types.FirstOrDefault(t => t.Equals(Cast, StringComparison.OrdinalIgnoreCase)) ?? Unknown(read) ?? preset?.Cast,
            Where = Where is null
                ? preset?.Where ?? new Dictionary<string, string>()
                : Where.ToDictionary(w => w.Key, w => read.Section(nameof(Where)).Text(w.Value, w.Key) ?? "", StringComparer.Ordinal),
            Key = TableNames.KeyRole(read, Key, preset?.Key),
            Order = TableNames.Columns(read, Order) ?? preset?.Order ?? TableNames.NoColumns(read, nameof(Order)),
            Time = TimeOptions.Role(Time, read, nameof(Time), preset?.Time),
            Deleted = TimeOptions.Role(Deleted, read, nameof(Deleted), preset?.Deleted, flag: true),
        };

    private string? Unknown(ValueReader read)
    {
        if (Cast is not null)
            read.Bad(nameof(Cast), Cast, $"one of {string.Join(", ", LinkCast.Types)}");
        return null;
    }
}
