using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Inspection;

/// <summary>A foreign key from or onto a mapped table, as it was declared: what partitions inherit is followed up to that.</summary>
internal sealed record ForeignKeyFacts : ICatalogFact<ForeignKeyFacts>
{
    // A partition of either side has constraints of its own that point to the declared one. to_jsonb: conenforced came with PostgreSQL 18.
    public static string Sql =>
        """
            WITH RECURSIVE climb AS (
              SELECT k.oid, k.conparentid
              FROM pg_constraint AS k
              WHERE k.contype = 'f' AND (k.confrelid = ANY ($1) OR k.conrelid = ANY ($1))
              UNION
              SELECT k.oid, k.conparentid
              FROM climb AS c
              JOIN pg_constraint AS k ON k.oid = c.conparentid
            )
            SELECT k.conname::text,
                   k.conrelid::bigint, fn.nspname::text, fc.relname::text, fc.relkind::text,
                   k.confrelid::bigint, tn.nspname::text, tc.relname::text,
                   (SELECT array_agg(a.attname::text ORDER BY u.n) FROM unnest(k.conkey) WITH ORDINALITY AS u (attnum, n)
                     JOIN pg_attribute AS a
                     ON a.attrelid = k.conrelid AND a.attnum = u.attnum),
                   (SELECT array_agg(a.attname::text ORDER BY u.n) FROM unnest(k.confkey) WITH ORDINALITY AS u (attnum, n)
                     JOIN pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = u.attnum),
                   k.confdeltype::text, tc.relpersistence = 'u',
                   EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL
                     AND i.indkey[0] = ANY (k.conkey)),
                   has_table_privilege(k.conrelid, 'SELECT') AND has_schema_privilege(fn.oid, 'USAGE')
                     AND NOT row_security_active(k.conrelid)
            FROM climb AS r
            JOIN pg_constraint AS k ON k.oid = r.oid AND k.conparentid = 0
            JOIN pg_class AS fc ON fc.oid = k.conrelid
            JOIN pg_namespace AS fn ON fn.oid = fc.relnamespace
            JOIN pg_class AS tc ON tc.oid = k.confrelid
            JOIN pg_namespace AS tn ON tn.oid = tc.relnamespace
            WHERE (to_jsonb(k) ->> 'conenforced')::boolean IS DISTINCT FROM false
            ORDER BY fn.nspname, fc.relname, k.conname
            """;

    public required string Name { get; init; }

    /// <summary>The referencing table.</summary>
    public required uint FromOid { get; init; }

    public required TableName From { get; init; }

    public required bool FromPartitioned { get; init; }

    /// <summary>The referenced table.</summary>
    public required uint ToOid { get; init; }

    public required TableName To { get; init; }

    public required IReadOnlyList<string> Columns { get; init; }

    public required IReadOnlyList<string> ToColumns { get; init; }

    /// <summary>As <c>pg_constraint.confdeltype</c>: a no action, r restrict, c cascade, n set null, d set default.</summary>
    public required char OnDelete { get; init; }

    /// <summary>A crash empties the referenced table.</summary>
    public required bool ToUnlogged { get; init; }

    /// <summary>Some usable index begins with one of its columns.</summary>
    public required bool Indexed { get; init; }

    /// <summary>The role sees all rows of the referencing table.</summary>
    public required bool Readable { get; init; }

    /// <summary>Whether it ties these columns to those, alone or together with further columns.</summary>
    public bool Ties(KeyColumns columns, KeyColumns toColumns) => columns.Zip(toColumns).All(Columns.Zip(ToColumns).Contains);

    public static ForeignKeyFacts Read(NpgsqlDataReader row) =>
        new()
        {
            Name = row.GetString(0),
            FromOid = (uint)row.GetInt64(1),
            From = new(row.GetString(2), row.GetString(3)),
            FromPartitioned = row.GetString(4) == "p",
            ToOid = (uint)row.GetInt64(5),
            To = new(row.GetString(6), row.GetString(7)),
            Columns = row.GetFieldValue<string[]>(8),
            ToColumns = row.GetFieldValue<string[]>(9),
            OnDelete = row.GetString(10)[0],
            ToUnlogged = row.GetBoolean(11),
            Indexed = row.GetBoolean(12),
            Readable = row.GetBoolean(13),
        };
}
