using System.Text;
using Archiver.Core.Postgres;

namespace Archiver.Core.Settings;

/// <summary>A schema-qualified table.</summary>
/// <param name="Schema">Exact name of the schema.</param>
/// <param name="Name">Exact name of the table.</param>
public sealed record TableName(string Schema, string Name)
{
    /// <summary>Schema of a name that states none.</summary>
    public const string DefaultSchema = "public";

    /// <summary>As SQL: both parts quoted.</summary>
    public string Sql => $"{PgIdentifier.Quote(Schema)}.{PgIdentifier.Quote(Name)}";

    /// <summary>For people and documents: <c>public.chat_sessions</c>, parts quoted only where they need it.</summary>
    public override string ToString() => $"{Plain(Schema)}.{Plain(Name)}";

    /// <summary>
    /// Reads <c>table</c>, <c>schema.table</c> or, for odd names, <c>"My Schema"."Table"</c> (a quote inside is doubled).
    /// </summary>
    public static bool TryParse(string text, out TableName? table)
    {
        table = null;
        List<string> parts = [];
        for (var at = 0; ; )
        {
            if (!TryReadPart(text, ref at, out var part))
                return false;
            parts.Add(part);
            if (at == text.Length)
                break;
            if (text[at++] != '.' || parts.Count == 2)
                return false;
        }
        table = parts.Count == 2 ? new(parts[0], parts[1]) : new(DefaultSchema, parts[0]);
        return true;
    }

    private static bool TryReadPart(string text, ref int at, out string part)
    {
        part = "";
        if (at >= text.Length)
            return false;
        if (text[at] != '"')
        {
            var end = text.IndexOf('.', at);
            end = end < 0 ? text.Length : end;
            part = text[at..end];
            at = end;
            return part.Length > 0 && !part.Contains('"', StringComparison.Ordinal) && !part.Contains('\0', StringComparison.Ordinal);
        }
        var name = new StringBuilder();
        for (at++; at < text.Length; at++)
        {
            if (text[at] == '\0')
                return false;
            if (text[at] != '"')
                name.Append(text[at]);
            else if (at + 1 < text.Length && text[at + 1] == '"')
                name.Append(text[at++]);
            else
            {
                at++;
                part = name.ToString();
                return part.Length > 0;
            }
        }
        return false;
    }

    private static string Plain(string part) =>
        part.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '_') && !char.IsDigit(part[0]) ? part : PgIdentifier.Quote(part);
}
