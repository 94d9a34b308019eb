using System.Text.Json;
using Archiver.Core.Diagnostics;
using DuckDB.NET.Data;

namespace Archiver.Core.Query;

/// <summary>One SELECT that somebody wrote: DuckDB's own parser has said that it is one, and nothing else.</summary>
internal sealed class SqlStatement
{
    private SqlStatement(string text, JsonElement node) => (Text, Node) = (text, node);

    /// <summary>As it was written, without what ends it.</summary>
    public string Text { get; }

    /// <summary>How DuckDB's parser understands it.</summary>
    public JsonElement Node { get; }

    /// <summary>Reads it.</summary>
    /// <exception cref="ArchiverException">It is not one SELECT; kind Configuration.</exception>
    public static SqlStatement Parse(DuckDatabase database, string sql)
    {
        var text = sql.Trim().TrimEnd(';').TrimEnd();
        var statement = new SqlStatement(text, NodeOf(database, text));
        // What is put around it later must not turn it into something else.
        NodeOf(database, statement.Within("t"));
        return statement;
    }

    /// <summary>A query over its rows; <paramref name="alias"/> may name the columns.</summary>
    public string Within(string alias, string columns = "*") => $"SELECT {columns} FROM (\n{Text}\n) AS {alias}";

    private static JsonElement NodeOf(DuckDatabase database, string text)
    {
        using var command = database.Command("SELECT json_serialize_sql($sql::varchar)");
        command.Parameters.Add(new DuckDBParameter("sql", text));
        using var reader = command.ExecuteReader();
        reader.Read();
        var parsed = JsonElement.Parse(reader.GetString(0), new JsonDocumentOptions { MaxDepth = 1000 });
        if (parsed.GetProperty("error").GetBoolean())
        {
            var isSyntax = parsed.GetProperty("error_type").GetString() == "parser";
            throw new ArchiverException(
                FailureKind.Configuration,
                isSyntax
                    ? $"The SQL cannot be read: {parsed.GetProperty("error_message").GetString()}{Place(parsed)}."
                    : "Only one SELECT can be run: the archive is read, and nothing is written, opened or set."
            );
        }
        if (parsed.GetProperty("statements") is var statements && statements.GetArrayLength() != 1)
            throw new ArchiverException(
                FailureKind.Configuration,
                $"Only one SELECT can be run, but there are {statements.GetArrayLength()} statements."
            );
        return statements[0].GetProperty("named_param_map").GetArrayLength() == 0
            ? statements[0].GetProperty("node")
            : throw new ArchiverException(
                FailureKind.Configuration,
                "The SQL has a parameter, and there is nothing to give for it: write the value."
            );
    }

    private static string Place(JsonElement parsed) =>
        parsed.TryGetProperty("position", out var position) ? $" (at character {position})" : "";
}
