using System.Globalization;
using Archiver.Core.Settings;

namespace Archiver.Core.Configuration;

/// <summary>A time of a mapping as written: the name of its column, which is short for <see cref="Column"/>, or a section.</summary>
internal sealed class TimeOptions
{
    public string? Column { get; set; }

    public string? As { get; set; }

    public string? Or { get; set; }

    public string? At { get; set; }

    /// <param name="raw">Null where it is absent.</param>
    /// <param name="read">Of the section that it stands in.</param>
    /// <param name="key">Its key there.</param>
    /// <param name="flag">Whether it may be a flag.</param>
    public static TimeColumn? Read(TimeOptions? raw, ValueReader read, string key, bool flag = false)
    {
        if (raw is null or { Column: null, As: null, Or: null, At: null })
            return null;
        var section = read.Section(key);
        // A name that is too much or too little is said of the key itself, which is where it mostly stands.
        var column = raw.Column is null ? section.Missing(nameof(raw.Column)) : read.Text(raw.Column, key) ?? "";
        var time = new TimeColumn(column)
        {
            As = Form(raw.As, section),
            Or = section.Text(raw.Or),
            At = section.Text(raw.At),
        };
        if (time.At is not null && !flag)
            section.Problem(nameof(raw.At), "is for a flag, and this is no role for one: only Ended and Deleted are");
        else if (time is { At: not null, Or: not null })
            section.Problem(nameof(raw.Or), "must not be given together with At");
        else if (time.At == time.Column || time.Or == time.Column)
            section.Problem(time.At is null ? nameof(raw.Or) : nameof(raw.At), "must be another column than Column");
        return time;
    }

    /// <summary>The same of a role: the preset's where nothing is stated, none where an empty text or null is.</summary>
    /// <inheritdoc cref="Read(TimeOptions?, ValueReader, string, bool)"/>
    public static TimeColumn? Role(TimeOptions? raw, ValueReader read, string key, TimeColumn? preset, bool flag = false) =>
        raw is { Column: "", As: null, Or: null, At: null } ? null : Read(raw, read, key, flag) ?? preset;

    /// <summary>The entries of a list, each column once; null where the list is absent.</summary>
    public static IReadOnlyList<TimeColumn>? Read(TimeOptions[]? raw, ValueReader read, string key)
    {
        if (raw is null)
            return null;
        if (raw.Length == 0)
            read.Missing(key, "must list at least one column");
        List<TimeColumn> times = [];
        for (var i = 0; i < raw.Length; i++)
        {
            var entry = string.Create(CultureInfo.InvariantCulture, $"{key}:{i}");
            if (Read(raw[i], read.Section(key), i.ToString(CultureInfo.InvariantCulture)) is not { } time)
                read.Missing(entry, "must not be empty");
            else if (time.Column.Length > 0 && times.Any(t => t.Column == time.Column))
                read.Problem(entry, $"must not repeat {Visible.Value(time.Column)}");
            else
                times.Add(time);
        }
        return times;
    }

    /// <summary>Reports a list that is required and absent.</summary>
    public static IReadOnlyList<TimeColumn> None(ValueReader read, string key)
    {
        read.Missing(key);
        return [];
    }

    private static TimeForm Form(string? raw, ValueReader section)
    {
        if (raw is null || TimeColumn.Forms.TryGetValue(raw, out var form))
            return raw is null ? TimeForm.Timestamp : TimeColumn.Forms[raw];
        section.Bad(nameof(As), raw, $"one of {string.Join(", ", TimeColumn.Forms.Keys)}");
        return form;
    }
}
