namespace Archiver.Core.Discovery;

/// <summary>
/// What <see cref="DatabaseReader"/> asks. Names resolve to pg_catalog. No function that opens a table is called, such as those of sizes:
/// one that somebody has locked would hold up the answer about all others.
/// </summary>
internal static class CatalogQueries
{
    public const string Server = """
        SELECT current_database()::text, current_user::text, r.rolsuper,
               EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                       WHERE n.nspname = 'archiver' AND c.relname = 'ledger')
        FROM pg_roles AS r
        WHERE r.rolname = current_user
        """;

    public const string Tables = """
        WITH RECURSIVE root AS (
          SELECT c.oid
          FROM pg_class AS c
          JOIN pg_namespace AS n ON n.oid = c.relnamespace
          WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
            AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'archiver', 'archiver_quartz')
            AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
        ), leaf AS (
          SELECT r.oid AS root, r.oid FROM root AS r
          UNION ALL
          SELECT l.root, i.inhrelid
          FROM leaf AS l
          JOIN pg_inherits AS i ON i.inhparent = l.oid
          JOIN pg_class AS c ON c.oid = i.inhrelid AND c.relispartition
        ), size AS (
          SELECT l.root, sum(c.reltuples) FILTER (WHERE c.relkind = 'r' AND c.reltuples >= 0) AS rows,
                 sum(c.relpages + coalesce(t.relpages, 0)) AS pages
          FROM leaf AS l
          JOIN pg_class AS c ON c.oid = l.oid
          LEFT JOIN pg_class AS t ON t.oid = c.reltoastrelid
          GROUP BY l.root
        )
        SELECT c.oid::bigint, n.nspname::text, c.relname::text, s.rows::bigint, (s.pages * current_setting('block_size')::bigint)::bigint,
               has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid),
               c.relrowsecurity
        FROM size AS s
        JOIN pg_class AS c ON c.oid = s.root
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        ORDER BY n.nspname, c.relname
        """;

    public const string Columns = """
        WITH RECURSIVE base AS (
          SELECT t.oid AS type, t.oid AS base FROM pg_type AS t WHERE t.typtype = 'd'
          UNION ALL
          SELECT b.type, t.typbasetype
          FROM base AS b
          JOIN pg_type AS t ON t.oid = b.base
          WHERE t.typtype = 'd'
        )
        SELECT a.attrelid::bigint, a.attname::text, format_type(a.atttypid, a.atttypmod), format_type(coalesce(b.base, a.atttypid), NULL),
               a.attnotnull
        FROM pg_attribute AS a
        LEFT JOIN (base AS b JOIN pg_type AS t ON t.oid = b.base AND t.typtype <> 'd') ON b.type = a.atttypid
        WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY a.attrelid, a.attnum
        """;

    public const string Unique = """
        SELECT i.indrelid::bigint, i.indisprimary,
               (SELECT array_agg(a.attname::text ORDER BY k.n)
                FROM unnest(i.indkey) WITH ORDINALITY AS k (attnum, n)
                JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                WHERE k.n <= i.indnkeyatts)
        FROM pg_index AS i
        WHERE i.indrelid = ANY ($1) AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
        ORDER BY i.indisprimary DESC, i.indexrelid
        """;

    // Those of partitions are inherited ones. to_jsonb: conenforced came with PostgreSQL 18.
    public const string Keys = """
        SELECT k.conname::text, k.conrelid::bigint, k.confrelid::bigint,
               (SELECT array_agg(a.attname::text ORDER BY u.n)
                FROM unnest(k.conkey) WITH ORDINALITY AS u (attnum, n)
                JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.attnum),
               (SELECT array_agg(a.attname::text ORDER BY u.n)
                FROM unnest(k.confkey) WITH ORDINALITY AS u (attnum, n)
                JOIN pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = u.attnum),
               k.confdeltype::text
        FROM pg_constraint AS k
        WHERE k.contype = 'f' AND k.conparentid = 0 AND k.conrelid = ANY ($1) AND k.confrelid = ANY ($1)
          AND (to_jsonb(k) ->> 'conenforced')::boolean IS DISTINCT FROM false
        ORDER BY k.oid
        """;

    public const string Sequences = """
        SELECT DISTINCT coalesce(f.adrelid, d.refobjid)::bigint, n.nspname::text, s.relname::text
        FROM pg_depend AS d
        LEFT JOIN pg_attrdef AS f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
        JOIN pg_class AS s ON s.relkind = 'S' AND s.oid = CASE WHEN f.oid IS NULL THEN d.objid ELSE d.refobjid END
        JOIN pg_namespace AS n ON n.oid = s.relnamespace
        WHERE (f.adrelid = ANY ($1) OR (d.refobjid = ANY ($1) AND d.refclassid = 'pg_class'::regclass AND d.classid = 'pg_class'::regclass))
        ORDER BY 2, 3
        """;
}
