using System.Text.Json;
using Archiver.Testing;

namespace Archiver.Worker.Tests.Query;

/// <summary>
/// A table's rows as one text, made by PostgreSQL before they are archived and by DuckDB after it: each column's texts in the order of the
/// keys, hashed.
/// </summary>
internal static class EqualRows
{
    /// <summary>Each column with the hash of its values, NULL and a JSON null apart.</summary>
    public static async Task<IReadOnlyDictionary<string, string>> InTablesAsync(TestDatabase database, string table)
    {
        var columns = (
            await database.ScalarAsync<string>(
                "SELECT string_agg(a.attname || ' ' || a.atttypid::regtype, '|') FROM pg_attribute AS a WHERE a.attrelid = "
                    + $"'{table}'::regclass AND a.attnum > 0 AND NOT a.attisdropped"
            )
        )!
            .Split('|')
            .Select(c => c.Split(' ', 2))
            .ToList();
        var key = Key(columns.Select(c => c[0]));
        var hashes = columns.Select(c =>
            $"""
                '"' || '{c[0]}' || '":"' || md5(coalesce(string_agg(coalesce({(
                    c[1].StartsWith("timestamp", StringComparison.Ordinal)
                        ? $"(extract(epoch FROM {c[0]}) * 1000000)::bigint::text"
                        : $"{c[0]}::text"
                )}, '(none)'), '|' ORDER BY {key}::text COLLATE "C"), '')) || '"'
                """
        );
        return JsonSerializer.Deserialize<Dictionary<string, string>>(
            (await database.ScalarAsync<string>($"SELECT '{{' || concat_ws(',', {string.Join(", ", hashes)}) || '}}' FROM {table}"))!
        )!;
    }

    /// <summary>The same of a view.</summary>
    /// <param name="archiver">Where it is asked.</param>
    /// <param name="view">The view.</param>
    /// <param name="columns">Columns of the row; those that the ledger has too have another name in the view.</param>
    public static async Task<IReadOnlyDictionary<string, string>> InViewAsync(
        Installation archiver,
        string view,
        IReadOnlyDictionary<string, string> columns
    )
    {
        var named = (await Queries.QueryAsync(archiver, $"DESCRIBE {view}"))
            .Select(l => JsonElement.Parse(l))
            .Select(c => (Name: c.GetProperty("column_name").GetString()!, Type: c.GetProperty("column_type").GetString()!))
            .ToList();
        var ours = columns.Keys.ToDictionary(c => c, c => named.Exists(n => n.Name == $"row_{c}") ? $"row_{c}" : c);
        var key = ours[Key(columns.Keys)];
        var hashes = columns.Keys.Select(c =>
            $"""
                md5(coalesce(string_agg(coalesce({(
                    named.Find(n => n.Name == ours[c]).Type.StartsWith("TIMESTAMP", StringComparison.Ordinal)
                        ? $"epoch_us({ours[c]})::varchar"
                        : $"{ours[c]}::varchar"
                )}, '(none)'), '|' ORDER BY {key}::varchar), '')) AS {c}
                """
        );
        return JsonSerializer.Deserialize<Dictionary<string, string>>(
            Assert.Single(await Queries.QueryAsync(archiver, $"SELECT {string.Join(", ", hashes)} FROM {view}"))
        )!;
    }

    private static string Key(IEnumerable<string> columns) => columns.Contains("id") ? "id" : "session_id";
}
