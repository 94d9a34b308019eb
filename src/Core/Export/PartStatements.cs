using Archiver.Core.Ledger;
using Archiver.Core.Policies;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Export;

/// <summary>
/// The SQL that chooses the messages of an export of parts, in its snapshot. The sessions are those of
/// <see cref="ExportStatements.SetKeys"/>.
/// </summary>
internal sealed class PartStatements(RunContext run, SourceShape shape)
{
    /// <summary>Puts the versions of the chosen messages, a bigint array, where every statement of the export reads them.</summary>
    public const string SetVersions = "SELECT set_config('archiver.versions', $1::text, true)";

    /// <summary>SQL of these versions.</summary>
    public const string Versions = "current_setting('archiver.versions')::bigint[]";

    private const string Keys = "current_setting('archiver.keys')::text[]";

    private readonly SourceMap _map = run.Source.Map;
    private readonly KeyForm _form = KeyForm.Of(run.Source.Map, shape);

    /// <summary>The rows that <see cref="Versions"/> names, and those below them.</summary>
    public static ChosenMessages Chosen(SourceMap map) => new(map, _ => Versions);

    /// <summary>Position of the session in the batch, from 1, and version of each message that the policy takes.</summary>
    public string Due(SqlParameters parameters)
    {
        var due = new DueMessages(run.Source, shape, run.Policy, run.Cutoffs);
        var messages = due.Map.Children.Single(c => c.Name == SourceMap.MessagesName);
        var path = SessionPath.Of(due.Map, shape, messages);
        return $"""
            SELECT k.n::int, r.h
            FROM unnest({Keys}::{_form.Type}[]) WITH ORDINALITY AS k (id, n)
            CROSS JOIN LATERAL (
              SELECT {RowVersion.Hash("t")} AS h
              FROM {path.From(messages)}
              WHERE {path.Where(KeyMatch.Is(_form.Parse("k.id")))} AND {due.Condition(messages, parameters)}) AS r
            """;
    }

    /// <summary>
    /// Chosen messages that another row needs by a foreign key: the version of each, and before it that of the chosen message which the
    /// pointing row goes with; NULL where that row stays. Null where no such key is about messages or what hangs below them.
    /// </summary>
    public string? Needed(SessionReference reference)
    {
        if (
            !reference.Readable
            || _map.Children.FirstOrDefault(c => c.Name == reference.To) is not { } to
            || MessageRows.Alias(_map, to) is not { } message
        )
            return null;
        var path = SessionPath.Of(_map, shape, to);
        var referenced = string.Concat(reference.ToColumns.Select((c, i) => $", {SessionPath.Column("t", c)} AS c{i}"));
        var points = string.Join(" AND ", reference.Columns.Select((c, i) => $"{SessionPath.Column("t", c)} = r.c{i}"));
        return $"""
            SELECT DISTINCT x.f, r.h
            FROM (SELECT {RowVersion.Hash(message)} AS h{referenced}
                  FROM {path.From(to)}
                  WHERE {path.Where(KeyMatch.Among(_form, Keys))} AND {ChosenMessages.Among(RowVersion.Hash(message), Versions)}) AS r
            CROSS JOIN LATERAL (SELECT {GoesWith(reference)} AS f FROM {reference.From.Sql} AS t WHERE {points}) AS x
            WHERE x.f IS DISTINCT FROM r.h
            """;
    }

    private string GoesWith(SessionReference reference)
    {
        if (
            _map.Children.FirstOrDefault(c => c.Name == reference.FromMapped) is not { } from
            || MessageRows.Alias(_map, from) is not { } message
        )
            return "NULL::bigint";
        var path = SessionPath.Of(_map, shape, from);
        var chosen = ChosenMessages.Among(RowVersion.Hash(message), Versions);
        return message == "t"
            ? $"CASE WHEN {string.Join(" AND ", [.. SessionPath.RowsOf(from, "t"), chosen])} THEN {RowVersion.Hash("t")} END"
            : $"(SELECT min({RowVersion.Hash(message)}) FROM {string.Join(", ", path.Joins)} WHERE "
                + $"{string.Join(" AND ", [.. path.Conditions, chosen])})";
    }
}
