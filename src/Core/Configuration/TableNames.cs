using System.Runtime.CompilerServices;
using Archiver.Core.Settings;

namespace Archiver.Core.Configuration;

/// <summary>Reads table names and lists of columns of a mapping.</summary>
internal static class TableNames
{
    /// <summary>Stands for a table that could not be read, so that reading goes on; it never leaves this folder.</summary>
    public static readonly TableName Unknown = new("unknown", "unknown");

    /// <summary>The table, null when it is absent, <see cref="Unknown"/> when it is refused.</summary>
    public static TableName? Read(ValueReader read, string? raw, [CallerArgumentExpression(nameof(raw))] string key = "")
    {
        if (raw is null)
            return null;
        if (TableName.TryParse(raw, out var table))
            return table;
        read.Bad(key, raw, "a table such as public.chat_sessions, odd names in double quotes");
        return Unknown;
    }

    public static TableName Missing(ValueReader read, string key)
    {
        read.Missing(key);
        return Unknown;
    }

    /// <summary>The columns, or null when the list is absent. A list that is given has a first entry.</summary>
    public static IReadOnlyList<string>? Columns(ValueReader read, string[]? raw, [CallerArgumentExpression(nameof(raw))] string key = "")
    {
        if (raw is { Length: 0 })
            read.Missing(key, "must list at least one column");
        return read.Texts(raw, key);
    }

    /// <summary>The columns of a key, one or several; null where it is absent.</summary>
    public static KeyColumns? Key(ValueReader read, string[]? raw, [CallerArgumentExpression(nameof(raw))] string key = "") =>
        raw switch
        {
            null or [] => null,
            [var only] => read.Text(only, key) is { } column ? column : (KeyColumns?)null,
            _ => KeyColumns.Of(read.Texts(raw, key)!.ToArray()),
        };

    /// <summary>The same of a role: the preset's where nothing is stated, none where an empty text or null is.</summary>
    public static KeyColumns? KeyRole(
        ValueReader read,
        string[]? raw,
        KeyColumns? preset,
        [CallerArgumentExpression(nameof(raw))] string key = ""
    ) => raw is [] ? null : Key(read, raw, key) ?? preset;

    public static IReadOnlyList<string> NoColumns(ValueReader read, string key)
    {
        read.Missing(key);
        return [];
    }
}
