using Archiver.Core.Ledger;
using Archiver.Core.Policies;
using Archiver.Core.Postgres;
using Archiver.Core.Selection;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Export;

/// <summary>The SQL of an export, for the tables as they are under the export's lock.</summary>
/// <param name="run">The run.</param>
/// <param name="shape">The tables under the lock.</param>
/// <param name="only">The rows to copy of sessions that stay; null to copy the sessions whole.</param>
internal sealed class ExportStatements(RunContext run, SourceShape shape, RowChoice? only = null)
{
    // COPY takes no parameters; a transaction-local setting carries the keys without any quoting of ours.
    private string Keys => $"unnest(current_setting('archiver.keys')::text[]::{_form.Type}[]) WITH ORDINALITY AS k (id, n)";

    /// <summary>Puts the batch's keys, a text array, and the time zone of times without one where <see cref="Copy"/> reads them.</summary>
    public const string SetKeys = "SELECT set_config('archiver.keys', $1::text, true), set_config('archiver.time_zone', $2, true)";

    private readonly KeyForm _form = KeyForm.Of(run.Source.Map, shape);

    /// <summary>Locks every mapped table against changes of its shape, before the snapshot is taken (docs/protocol.md rule 1).</summary>
    public static string LockTables(SourceMap map, string mode) =>
        $"LOCK TABLE {string.Join(", ", [map.Session.Table.Sql, .. map.Children.Select(c => c.Table.Sql)])} IN {mode} MODE";

    /// <inheritdoc cref="ReferenceSql.Among"/>
    public string? Referenced => new ReferenceSql(run.Source.Map, shape).Among();

    /// <summary>
    /// All rows of one table for the batch. Children are read by a LATERAL subquery per session: the index gives each session's rows, a
    /// small sort their order, and no sort of the whole batch spills to disk. The reader checks that sessions arrive in order.
    /// </summary>
    public string Copy(TableShape table)
    {
        var columns = string.Join(", ", table.Columns.Select(c => SessionPath.Column("t", c.Name)));
        if (table.Name == SourceMap.SessionName)
            return $"""
                COPY (SELECT k.n, {RowVersion.OfSession(run.Source.Map, "t")}, {columns}
                      FROM {Keys}
                      JOIN {run.Source.Map.Session.Sql} AS t ON {_form.Of("t").Is(_form.Parse("k.id"))}
                      ORDER BY k.n) TO STDOUT
                """;
        var child = run.Source.Map.Children.Single(c => c.Name == table.Name);
        var path = SessionPath.Of(run.Source.Map, shape, child);
        var taken = only is null ? "" : $" AND {only.Condition(child, new SqlParameters()) ?? "false"}";
        var time = TableRows.HasTimeField(table, child.Time)
            ? $"{TimeSql.Of(run.Source, shape, child, child.Time!).Instant("current_setting('archiver.time_zone')")}, "
            : "";
        return $"""
            COPY (SELECT k.n, r.*
                  FROM {Keys}
                  CROSS JOIN LATERAL (
                    SELECT {RowVersion.Hash("t")}, {time}{columns}
                    FROM {path.From(child)}
                    WHERE {path.Where(KeyMatch.Is(_form.Parse("k.id")))}{taken}
                    ORDER BY {string.Join(", ", child.Order.Select(o => SessionPath.Column("t", o)))}
                  ) AS r) TO STDOUT
            """;
    }
}
