using System.Globalization;
using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Import;

/// <summary>The tables that a restore writes to, as they are now.</summary>
internal sealed class RestoreTarget
{
    private const string RequiredColumns = """
        SELECT a.attrelid::bigint, a.attname::text
        FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped
          AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
        """;

    // The sequence of an identity column, or one whose next value is a column's default as it is. What a default makes of a number
    // ('sess_' || nextval(...)) says nothing about where its sequence must go on.
    private const string SequencesOfColumns = """
        SELECT a.attrelid::bigint, a.attname::text, s.oid::bigint, format('%I.%I', n.nspname, s.relname)
        FROM pg_catalog.pg_attribute AS a
        JOIN pg_catalog.pg_depend AS d ON
             (d.deptype IN ('a', 'i') AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = a.attrelid
               AND d.refobjsubid = a.attnum)
          OR (d.classid = 'pg_catalog.pg_attrdef'::regclass
              AND d.objid IN (SELECT f.oid FROM pg_catalog.pg_attrdef AS f WHERE f.adrelid = a.attrelid AND f.adnum = a.attnum))
        JOIN pg_catalog.pg_class AS s ON s.relkind = 'S' AND s.oid IN (d.objid, d.refobjid)
        JOIN pg_catalog.pg_namespace AS n ON n.oid = s.relnamespace
        LEFT JOIN pg_catalog.pg_attrdef AS e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
        WHERE a.attrelid = ANY ($1) AND a.attnum > 0
          AND (a.attidentity <> '' OR pg_catalog.pg_get_expr(e.adbin, e.adrelid) ~ '^[(]*nextval[(].*::regclass[)][)]*(::[a-z0-9() ]+)?$')
        GROUP BY a.attrelid, a.attname, s.oid, n.nspname, s.relname
        """;

    // Those that fire on insert anywhere, or on update: one on the messages may update the session.
    private const string UserTriggers = """
        SELECT t.tgrelid::bigint, t.tgname::text
        FROM pg_catalog.pg_trigger AS t
        WHERE t.tgrelid = ANY ($1) AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND (t.tgtype & 20) <> 0
        ORDER BY t.tgname
        """;

    private RestoreTarget(SourceMap map, SourceShape shape) => (Map, Shape) = (map, shape);

    public SourceMap Map { get; }

    /// <summary>Mapped tables that exist; the session table is among them.</summary>
    public SourceShape Shape { get; }

    /// <summary>Columns that a row must bring a value for, as (table, column).</summary>
    public required IReadOnlySet<(uint Table, string Column)> Required { get; init; }

    /// <summary>The tables in groups that one statement each inserts into, in this order.</summary>
    public required IReadOnlyList<IReadOnlyList<TableShape>> InsertGroups { get; init; }

    public required IReadOnlyList<OwnedSequence> Sequences { get; init; }

    public required IReadOnlyList<(uint Table, string Name)> Triggers { get; init; }

    /// <summary>The map with all its tables in another schema.</summary>
    public static SourceMap InSchema(SourceMap map, string schema) =>
        new(
            map.Session with
            {
                Table = map.Session.Table with { Schema = schema },
            },
            [.. map.Children.Select(c => c with { Table = c.Table with { Schema = schema } })]
        );

    /// <exception cref="ArchiverException">The session table is not there.</exception>
    public static async Task<RestoreTarget> DescribeAsync(NpgsqlConnection connection, SourceMap map, CancellationToken cancellationToken)
    {
        // Types of other schemas are written with their schema only where the search path does not hide it, as in the export.
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync($"SET TRANSACTION READ ONLY; {TransactionSettings.Common}", cancellationToken);
        var shape = await TableDescriber.DescribeAsync(connection, map, cancellationToken);
        if (shape.Tables.Count == 0 || shape.Session.Name != SourceMap.SessionName)
            throw new ArchiverException(
                FailureKind.Refused,
                $"There is no table {map.Session.Table} to restore to. Create the application's tables first; nothing was written."
            );
        var oids = shape.Tables.Select(t => t.Oid).ToList();
        return new(map, shape)
        {
            Required = (
                await connection.QueryAsync(
                    RequiredColumns,
                    row => ((uint)row.GetInt64(0), row.GetString(1)),
                    cancellationToken,
                    PgParameter.Oids(oids)
                )
            ).ToHashSet(),
            InsertGroups = InsertOrder.Of(
                [.. shape.Tables.Where(t => t.Oid != TableShape.None)],
                await connection.QueryAsync(
                    InsertOrder.Keys,
                    row => ((uint)row.GetInt64(0), (uint)row.GetInt64(1)),
                    cancellationToken,
                    PgParameter.Oids(oids)
                )
            ),
            Sequences = await connection.QueryAsync(
                SequencesOfColumns,
                row => new OwnedSequence((uint)row.GetInt64(0), row.GetString(1), (uint)row.GetInt64(2), row.GetString(3)),
                cancellationToken,
                PgParameter.Oids(oids)
            ),
            Triggers = await connection.QueryAsync(
                UserTriggers,
                row => ((uint)row.GetInt64(0), row.GetString(1)),
                cancellationToken,
                PgParameter.Oids(oids)
            ),
        };
    }

    /// <exception cref="ArchiverException">
    /// A table is not any more what it was when it was described. Asked for under a lock that keeps DDL away.
    /// </exception>
    public async Task RequireUnchangedAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (!await TableDescriber.AreAsDescribedAsync(connection, Shape, cancellationToken))
            throw new ArchiverException(
                FailureKind.Failed,
                "A table was changed while sessions were being restored to it. What was restored before stays; run the restore again."
            );
    }

    /// <summary>Which of the sessions have a row.</summary>
    public async Task<HashSet<string>> ExistingAsync(
        NpgsqlConnection connection,
        IEnumerable<string> sessions,
        CancellationToken cancellationToken
    )
    {
        var form = KeyForm.Of(Map, Shape);
        var key = form.Of("t");
        var sql = $"SELECT {key}::text FROM {Map.Session.Sql} AS t WHERE {KeyMatch.Among(form, "$1").Sql(key)}";
        return (await connection.QueryAsync(sql, row => row.GetString(0), cancellationToken, form.Parameter(sessions))).ToHashSet(
            StringComparer.Ordinal
        );
    }

    /// <summary>The mapped table of that name, or null where it does not exist or is not mapped today.</summary>
    public TableShape? Find(string name) => Shape.Tables.FirstOrDefault(t => t.Name == name);

    /// <summary>SQL of the temporary table through which rows of a mapped table come in.</summary>
    public string Staging(TableShape table) => StagingName(table).Sql;

    /// <summary>Its name.</summary>
    public TableName StagingName(TableShape table) =>
        new("pg_temp", string.Create(CultureInfo.InvariantCulture, $"archiver_restore_{Shape.Tables.ToList().IndexOf(table)}"));
}

/// <summary>A sequence that gives a column its values.</summary>
/// <param name="Sql">Its qualified, quoted name.</param>
internal sealed record OwnedSequence(uint Table, string Column, uint Oid, string Sql);
