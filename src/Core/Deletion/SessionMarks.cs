using System.Text.Json;
using Archiver.Core.Export;
using Archiver.Core.Policies;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Deletion;

/// <summary>
/// The source's own columns that say that a session is stored although its rows stay: <c>archived</c> and <c>archive_location</c>, or,
/// where neither is mapped, the status. The transaction has the rows locked.
/// </summary>
internal sealed class SessionMarks(SourceMap map, SourceShape shape)
{
    private readonly KeyForm _form = KeyForm.Of(map, shape);
    private readonly string? _archived = map.Session.Archived;
    private readonly string? _location = map.Session.ArchiveLocation;
    private readonly string? _status = map.Session.Archived is null && map.Session.ArchiveLocation is null ? map.Session.Status : null;

    /// <summary>False where the mapping has no column to mark.</summary>
    public bool Exist => (_archived ?? _location ?? _status) is not null;

    /// <summary>
    /// Marks sessions; for each row updated the fingerprint of the new version, as this very statement returned it (docs/protocol.md rule
    /// 24: a trigger that touches an activity column on the way does not matter then), and what the mark replaced, with the names of all
    /// columns that it changed. What is deferred has fired.
    /// </summary>
    public async Task<IReadOnlyDictionary<string, (Fingerprint Version, string Mark)>> SetAsync(
        NpgsqlConnection connection,
        IReadOnlyList<(string Key, string Location)> sessions,
        CancellationToken cancellationToken
    )
    {
        var sql = $"""
            UPDATE {map.Session.Table.Sql} AS t
            SET {string.Join(", ", new[] { Set(_archived, "true"), Set(_location, "n.location"), Set(_status, "$4") }.OfType<string>())}
            FROM unnest($1, $2) AS n (key, location)
            JOIN {map.Session.Table.Sql} AS o ON {_form.Of("o").Is(_form.Parse($"n.key::{_form.Type}"))}
            WHERE {_form.Of("t").Is(_form.Of("o"))} AND {ApplicationPath.Enter}
            RETURNING n.key, {RowVersion.Hash("t")},
              jsonb_build_object('location', n.location, 'archived', {Old(_archived)}, 'archive_location', {Old(_location)}, 'status',
                {Old(_status)}, 'changed', to_jsonb(array_remove(ARRAY[{string.Join(
                ", ",
                shape.Session.Columns.Select((c, i) => Changed(c, i + 1))
            )}]::text[], NULL)))::text
            """;
        List<NpgsqlParameter> parameters =
        [
            PgParameter.Texts(sessions.Select(s => s.Key)),
            PgParameter.Texts(sessions.Select(s => s.Location)),
            PgParameter.Texts(shape.Session.Columns.Select(c => c.Name)),
        ];
        if (_status is not null)
            parameters.Add(PgParameter.Untyped(SessionStatus.Archived));
        var rows = await connection.QueryAsync(
            sql,
            row => (Key: row.GetString(0), Version: default(Fingerprint).Add(row.GetInt64(1)), Mark: row.GetString(2)),
            cancellationToken,
            [.. parameters]
        );
        await connection.ExecuteAsync(ApplicationPath.FireAndLeave, cancellationToken);
        // Not by the same statement: the application's settings, under which that ends, change the text of a row.
        var marks = await connection.QueryAsync(
            $"""
            SELECT n.key, (n.mark || jsonb_build_object('row', {Image}))::text
            FROM unnest($1, $2::jsonb[]) AS n (key, mark)
            JOIN {map.Session.Table.Sql} AS t ON {_form.Of("t").Is(_form.Parse($"n.key::{_form.Type}"))}
            """,
            row => (Key: row.GetString(0), Mark: row.GetString(1)),
            cancellationToken,
            PgParameter.Texts(rows.Select(r => r.Key)),
            PgParameter.Texts(rows.Select(r => r.Mark))
        );
        return marks
            .Join(rows, m => m.Key, r => r.Key, (m, r) => (m.Key, r.Version, m.Mark))
            .ToDictionary(m => m.Key, m => (m.Version, m.Mark), StringComparer.Ordinal);
    }

    /// <summary>Key, version and image of session rows ($1, their keys), to compare with <see cref="ImageOf"/>.</summary>
    public string Images =>
        $"""
            SELECT {_form.Of("t")}::text, {RowVersion.Hash("t")}, {Image}
            FROM {map.Session.Table.Sql} AS t
            WHERE {KeyMatch.Among(_form, "$1").Sql(_form.Of("t"))}
            """;

    /// <summary>The image of the whole row after the mark; null where the mark is of a version that noted none.</summary>
    public static string? ImageOf(string mark)
    {
        using var document = System.Text.Json.JsonDocument.Parse(mark);
        return document.RootElement.TryGetProperty("row", out var row) ? row.GetString() : null;
    }

    /// <summary>
    /// Gives the columns the values that they had before, where they still hold what the mark wrote; what the application has written since
    /// stays. The number of rows updated.
    /// </summary>
    /// <param name="marks">By session key, as <see cref="SetAsync"/> returned them.</param>
    public async Task<long> TakeBackAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<(string Key, string Mark)> marks,
        CancellationToken cancellationToken
    )
    {
        if (!Exist || marks.Count == 0)
            return 0;
        var updated = 0L;
        // The status may be of any type, so its value is a parameter that takes the column's type; hence one statement for each former
        // value.
        var groups = _status is null
            ? [(Status: (string?)null, Marks: marks)]
            : marks
                .GroupBy(m => StatusOf(m.Mark))
                .Select(g => (Status: g.Key, Marks: (IReadOnlyCollection<(string Key, string Mark)>)[.. g]));
        var still =
            _location is not null ? $"{SessionPath.Column("t", _location)} = n.mark->>'location'"
            : _archived is not null ? SessionPath.Column("t", _archived)
            : $"{SessionPath.Column("t", _status!)}::text = '{SessionStatus.Archived}'";
        foreach (var (status, group) in groups)
        {
            var sql = $"""
                UPDATE {map.Session.Table.Sql} AS t
                SET {string.Join(
                    ", ",
                    new[]
                    {
                        Set(_archived, "(n.mark->>'archived')::boolean"),
                        Set(_location, "n.mark->>'archive_location'"),
                        Set(_status, "$3"),
                    }.OfType<string>()
                )}
                FROM unnest($1, $2::jsonb[]) AS n (key, mark)
                WHERE {_form.Of("t").Is(_form.Parse($"n.key::{_form.Type}"))} AND {still} AND {ApplicationPath.Enter}
                """;
            List<NpgsqlParameter> parameters = [PgParameter.Texts(group.Select(m => m.Key)), PgParameter.Texts(group.Select(m => m.Mark))];
            if (_status is not null)
                parameters.Add(PgParameter.Untyped(status));
            updated += await connection.ExecuteAsync(sql, cancellationToken, [.. parameters]);
            await connection.ExecuteAsync(ApplicationPath.FireAndLeave, cancellationToken);
        }
        return updated;
    }

    /// <summary>
    /// The column's name where the update changed it, a trigger's work included; as text, since not every type can be compared. One that it
    /// overlooks only keeps the session from being deleted.
    /// </summary>
    private static string Changed(ColumnShape column, int position)
    {
        var name = PgIdentifier.Quote(column.Name);
        return $"CASE WHEN o.{name}::text IS DISTINCT FROM t.{name}::text THEN ($3::text[])[{position}] END";
    }

    // Of the row's text in the dialect of the export. Every column is in it, those that the mark or a trigger changed too.
    private const string Image = "encode(sha256(convert_to(t::text, 'UTF8')), 'hex')";

    private static string? StatusOf(string mark)
    {
        using var json = JsonDocument.Parse(mark);
        return json.RootElement.GetProperty("status").GetString();
    }

    private static string? Set(string? column, string value) => column is null ? null : $"{PgIdentifier.Quote(column)} = {value}";

    private static string Old(string? column) => column is null ? "NULL::text" : $"{SessionPath.Column("o", column)}::text";
}
