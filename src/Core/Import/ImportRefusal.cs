using System.Text.RegularExpressions;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Import;

/// <summary>
/// Says in words why the database did not take a session as it was archived. Names of tables, columns, constraints and triggers; never a
/// value.
/// </summary>
internal static partial class ImportRefusal
{
    /// <summary>Why a part does not bring a session's row as it was then.</summary>
    public const string WithoutSession =
        "the archive of the session itself was not restored, and these older messages go beside what that one has; to restore both, name "
        + "it: archiver restore <id>; to restore these alone: --generation <number>";

    /// <summary>Of a part that is only looked for: none of its rows is there.</summary>
    public const string NotThereAnyMore =
        "these older messages were restored before, and are not in the database any more: the application has deleted them, or they were "
        + "archived again; to bring back what is left of them, name the session: archiver restore <id>";

    private const string WithoutTriggers = "--disable-triggers restores without triggers";

    /// <summary>Whether the error is about rows, so that a smaller set of sessions finds the one it is about.</summary>
    public static bool IsAboutRows(PostgresException exception) =>
        exception.SqlState[..2] is "22" or "23" or "27" or "44" or "54" or "P0"
        || exception.SqlState is PostgresErrorCodes.CannotCoerce or PostgresErrorCodes.DatatypeMismatch
        || exception.IsLockTimeout()
        // The application's triggers have codes of their own, and their statements fail with any: what came out of a function of one
        // session says nothing about the others.
        || exception.IsRaised()
        || (!string.IsNullOrEmpty(exception.Where) && exception.IsAboutOneBatch());

    /// <summary>The reason of an error.</summary>
    /// <param name="exception">The error.</param>
    /// <param name="plan">How the documents go into the tables, for an error that names no column.</param>
    public static string Of(PostgresException exception, ImportPlan plan)
    {
        var table = exception.TableName is { } name ? $"{exception.SchemaName}.{name}" : "a table";
        var constraint = exception.ConstraintName is { Length: > 0 } named ? $"constraint '{named}' of {table}" : null;
        return exception.SqlState switch
        {
            PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.ExclusionViolation when constraint is not null =>
                $"a row with the same value is there already ({constraint})",
            PostgresErrorCodes.ForeignKeyViolation when constraint is not null => $"it refers to a row that is not there ({constraint})",
            PostgresErrorCodes.NotNullViolation when exception.ColumnName is { Length: > 0 } column => $"column '{column}' of {table} "
                + "allows no NULL today",
            PostgresErrorCodes.CheckViolation when constraint is not null => $"{constraint} does not allow its rows",
            PostgresErrorCodes.LockNotAvailable => "another transaction holds a lock on rows that it refers to",
            _ when ColumnOfContext().Match(exception.Where ?? "") is { Success: true } column =>
                $"column '{column.Groups[1].Value}' does not take an archived value today (SQLSTATE {exception.SqlState})",
            _ when FunctionOfContext().Match(exception.Where ?? "") is { Success: true } function =>
                $"function {function.Groups[1].Value} of a trigger or constraint refuses its rows (SQLSTATE {exception.SqlState})",
            // The server names no constraint where it found no partition.
            PostgresErrorCodes.CheckViolation when exception.TableName is not null =>
                $"no partition of {table} takes its rows today; create the partition that held them (CREATE TABLE ... PARTITION OF "
                    + $"{table}), and restore again",
            PostgresErrorCodes.CannotCoerce => "a column has a type today that cannot be compared with the archived one",
            _ when exception.SqlState.StartsWith("22", StringComparison.Ordinal) && Converted(plan) is { Length: > 0 } columns =>
                $"an archived value cannot become what its column is today (SQLSTATE {exception.SqlState}): {columns}",
            _ => $"the database refuses its rows (SQLSTATE {exception.SqlState})",
        };
    }

    private static string Converted(ImportPlan plan) =>
        string.Join(
            ", ",
            plan.Tables.SelectMany(t =>
                t.Kept.Where(c => c.Conversion.StagedAs is not null)
                    .Select(c => $"'{c.Name}' of {t.Target!.Table} was {c.Type}, is {c.Target!.Type}")
            )
        );

    /// <summary>The reason of a session whose rows came out differently than they went in.</summary>
    /// <param name="table">The first table that differs.</param>
    /// <param name="changed">Columns whose values are not those that were inserted.</param>
    /// <param name="triggers">User triggers that fire, with their tables.</param>
    public static string Of(PlannedTable table, IReadOnlyList<string> changed, IReadOnlyList<(TableName Table, string Name)> triggers)
    {
        var columns = changed.Count == 0 ? "" : $" (column {string.Join(", ", changed.Select(c => $"'{c}'"))})";
        if (triggers.Count > 0 && (changed.Count > 0 || !table.Retyped.Any()))
            return $"{(triggers.Count == 1 ? "trigger" : "one of the triggers")} {Names(triggers)} changed the rows of "
                + $"{table.Target!.Table}{columns}; {WithoutTriggers}";
        var retyped = string.Join(", ", table.Retyped.Select(c => $"'{c.Name}' was {c.Type}, is {c.Target!.Type}"));
        var times = table.Kept.Any(c => c.Conversion.StagedAs is not null && !c.Conversion.ByValue)
            ? "; a local time that clocks skip or repeat is no single instant"
            : "";
        return retyped.Length > 0
            ? $"the rows of {table.Target!.Table} would lose something in columns of another type: {retyped}{times}; --accept-loss "
                + "<column> restores what the database makes of them"
            : $"the rows of {table.Target!.Table} do not come back as they were archived{columns}";
    }

    /// <summary>The reason of a session whose insert deletes rows or empties a table (docs/protocol.md rule 12).</summary>
    public static string SideEffects(ImportTarget into) =>
        "side effects: the restore would delete other rows, by a trigger or rule of the application"
        + (
            into.Options.DisableTriggers || into.Target.Triggers.Count == 0
                ? ""
                : $" ({Names(Triggers(into.Target, _ => true))}); {WithoutTriggers}"
        );

    /// <summary>Triggers that may have changed a table: its own first, then those of tables below it.</summary>
    public static IReadOnlyList<(TableName Table, string Name)> Suspects(RestoreTarget target, PlannedTable table)
    {
        var (own, others) = (Triggers(target, t => t == table.Target!.Oid), Triggers(target, t => t != table.Target!.Oid));
        // A change of the session by a trigger of the messages is an UPDATE; only if no trigger of its own explains it are others named.
        return own.Count > 0 && table.Name != SourceMap.SessionName ? own : [.. own, .. others];
    }

    private static List<(TableName Table, string Name)> Triggers(RestoreTarget target, Func<uint, bool> on) =>
        [.. target.Triggers.Where(t => on(t.Table)).Select(t => (target.Shape.Tables.First(s => s.Oid == t.Table).Table, t.Name))];

    private static string Names(IReadOnlyList<(TableName Table, string Name)> triggers) =>
        string.Join(", ", triggers.Select(t => $"'{t.Name}' on {t.Table}"));

    [GeneratedRegex(", column ([^:,]{1,63})(:|$)")]
    private static partial Regex ColumnOfContext();

    [GeneratedRegex(@"function ([A-Za-z0-9_.""]{1,128})\(")]
    private static partial Regex FunctionOfContext();
}
