using System.Text.RegularExpressions;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Restore;

/// <summary>Says in words why the database did not take a session as it was archived. Names of tables, columns, constraints and triggers; never a value.</summary>
internal static partial class ImportRefusal
{
    /// <summary>Whether the error is about rows, so that a smaller set of sessions finds the one it is about.</summary>
    public static bool IsAboutRows(PostgresException exception) =>
        exception.SqlState[..2] is "22" or "23" or "27" or "44" or "54" or "P0"
        || exception.SqlState is PostgresErrorCodes.CannotCoerce or PostgresErrorCodes.DatatypeMismatch
        || exception.IsLockTimeout();

    /// <summary>The reason of an error.</summary>
    public static string Of(PostgresException exception)
    {
        var table = exception.TableName is { } name ? $"{exception.SchemaName}.{name}" : "a table";
        return exception.SqlState switch
        {
            PostgresErrorCodes.UniqueViolation => $"a row with the same value is there already (constraint '{exception.ConstraintName}' of {table})",
            PostgresErrorCodes.ForeignKeyViolation => $"it refers to a row that is not there (constraint '{exception.ConstraintName}' of {table})",
            PostgresErrorCodes.NotNullViolation => $"column '{exception.ColumnName}' of {table} allows no NULL today",
            PostgresErrorCodes.CheckViolation => $"constraint '{exception.ConstraintName}' of {table} does not allow its rows",
            PostgresErrorCodes.LockNotAvailable => "another transaction holds a lock on rows that it refers to",
            _ when ColumnOfContext().Match(exception.Where ?? "") is { Success: true } column =>
                $"column '{column.Groups[1].Value}' does not take an archived value today (SQLSTATE {exception.SqlState})",
            _ when FunctionOfContext().Match(exception.Where ?? "") is { Success: true } function =>
                $"function {function.Groups[1].Value} of a trigger or constraint refuses its rows (SQLSTATE {exception.SqlState})",
            PostgresErrorCodes.CannotCoerce => "a column has a type today that cannot be compared with the archived one",
            _ => $"the database refuses its rows (SQLSTATE {exception.SqlState})",
        };
    }

    /// <summary>The reason of a session whose rows came out differently than they went in.</summary>
    /// <param name="table">The first table that differs.</param>
    /// <param name="changed">Columns whose values are not those that were inserted.</param>
    /// <param name="triggers">User triggers that fire, with their tables.</param>
    public static string Of(PlannedTable table, IReadOnlyList<string> changed, IReadOnlyList<(TableName Table, string Name)> triggers)
    {
        var columns = changed.Count == 0 ? "" : $" (column {string.Join(", ", changed.Select(c => $"'{c}'"))})";
        if (triggers.Count > 0 && (changed.Count > 0 || !table.Retyped.Any()))
        {
            var names = string.Join(", ", triggers.Select(t => $"'{t.Name}' on {t.Table}"));
            return $"{(triggers.Count == 1 ? "trigger" : "one of the triggers")} {names} changed the rows of {table.Target!.Table}{columns}; --disable-triggers restores without triggers";
        }
        var retyped = string.Join(", ", table.Retyped.Select(c => $"'{c.Name}' was {c.Type}, is {c.Target!.Type}"));
        return retyped.Length > 0
            ? $"the rows of {table.Target!.Table} would lose something in columns of another type: {retyped}"
            : $"the rows of {table.Target!.Table} do not come back as they were archived{columns}";
    }

    /// <summary>Triggers that may have changed a table: its own first, then those of tables below it.</summary>
    public static IReadOnlyList<(TableName Table, string Name)> Suspects(RestoreTarget target, PlannedTable table)
    {
        var named = target.Triggers.Select(t => (target.Shape.Tables.First(s => s.Oid == t.Table).Table, t.Name, Own: t.Table == table.Target!.Oid)).ToList();
        var own = named.Where(t => t.Own).Select(t => (t.Table, t.Name)).ToList();
        // A change of the session by a trigger of the messages is an UPDATE; only if no trigger of its own explains it are others named.
        return own.Count > 0 && table.Name != SourceMap.SessionName ? own : [.. own, .. named.Where(t => !t.Own).Select(t => (t.Table, t.Name))];
    }

    [GeneratedRegex(", column ([^:,]{1,63})(:|$)")]
    private static partial Regex ColumnOfContext();

    [GeneratedRegex(@"function ([A-Za-z0-9_.""]{1,128})\(")]
    private static partial Regex FunctionOfContext();
}
