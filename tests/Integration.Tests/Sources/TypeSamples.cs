namespace Archiver.Integration.Tests.Sources;

/// <summary>Types that PostgreSQL has, each with literals at its edges.</summary>
internal static class TypeSamples
{
    /// <summary>Types of the test's own, and extensions as stand-ins for those that are not installed.</summary>
    public const string Create = """
        CREATE EXTENSION IF NOT EXISTS hstore;
        CREATE EXTENSION IF NOT EXISTS cube;
        CREATE TYPE mood AS ENUM ('so so', 'quote''s', 'back\slash', 'ünïcode');
        CREATE TYPE pair AS (a int, b text, c timestamptz);
        CREATE DOMAIN small AS numeric(6, 2) CHECK (VALUE < 5000);
        CREATE DOMAIN document AS json;
        CREATE DOMAIN documents AS document;
        """;

    private static readonly string Controls =
        "E'" + string.Concat(Enumerable.Range(1, 31).Select(c => $"\\x{c:x2}")) + "\\x7f\"''\\\\\\\\N\\\\.'";

    private static readonly string Deep =
        "'" + string.Concat(Enumerable.Repeat("[", 200)) + string.Concat(Enumerable.Repeat("]", 200)) + "'";

    public static readonly (string Type, string[] Values)[] All =
    [
        ("smallint", ["-32768", "32767", "0"]),
        ("int", ["-2147483648", "2147483647"]),
        ("bigint", ["-9223372036854775808", "9223372036854775807", "9007199254740993"]),
        (
            "numeric",
            [
                "'NaN'",
                "'Infinity'",
                "'-Infinity'",
                "'1e-1000'",
                "'-123456789012345678901234567890.12345678901234567890'",
                "0.000",
                "('1' || repeat('0', 20000))::numeric",
            ]
        ),
        ("numeric(10,4)", ["123456.7890", "-0.0001"]),
        ("real", ["'NaN'", "'Infinity'", "'-Infinity'", "'-0'", "3.4028235e38", "1e-45", "0.1"]),
        (
            "double precision",
            ["'NaN'", "'Infinity'", "'-Infinity'", "'-0'", "1.7976931348623157e308", "5e-324", "0.1", "123456789.123456789"]
        ),
        ("money", ["'-92233720368547758.08'", "12.34"]),
        ("boolean", ["true", "false"]),
        ("char(5)", ["'ab'", "'ab   '", "''"]),
        ("\"char\"", ["'x'"]),
        ("name", ["'a name'"]),
        ("varchar(20)", ["'trailing  '", "''", "'null'", "E'\\\\N'"]),
        (
            "text",
            [
                Controls,
                "'Grüße 🎉🇩🇪 你好 \U0010FFFF'",
                "'  '",
                "'{\"looks\": \"like json\"}'",
                "repeat('long ', 400000)",
                "E'a\\n\\\\nb\\t'",
            ]
        ),
        ("bytea", ["'\\x'", "'\\x00ff5c6e0a'", "convert_to('\\', 'UTF8')"]),
        ("date", ["'infinity'", "'-infinity'", "'0044-03-15 BC'", "'2024-02-29'", "'5874897-12-31'"]),
        ("time", ["'00:00'", "'24:00'", "'23:59:59.999999'"]),
        ("timetz", ["'12:34:56.789+05:30'", "'00:00-15:59'"]),
        ("timestamp", ["'infinity'", "'-infinity'", "'4713-01-01 00:00:00 BC'", "'2024-02-29 23:59:60'", "'294276-12-31 23:59:59.999999'"]),
        (
            "timestamptz",
            [
                "'infinity'",
                "'-infinity'",
                "'4713-01-02 00:00:00+00 BC'",
                "'2026-03-29 02:30:00.000001 Europe/Berlin'",
                "'0001-01-01 00:00:00+00'",
            ]
        ),
        ("interval", ["'-1 year 2 mons -3 days 04:05:06.789'", "'178000000 years'", "'0'"]),
        ("uuid", ["'00000000-0000-0000-0000-000000000000'", "'FFFFFFFF-ffff-ffff-ffff-ffffffffffff'"]),
        ("inet", ["'10.1.2.3/8'", "'::1'", "'::ffff:1.2.3.4/128'"]),
        ("cidr", ["'10.0.0.0/8'", "'2001:db8::/32'"]),
        ("macaddr", ["'08:00:2b:01:02:03'"]),
        ("macaddr8", ["'08:00:2b:01:02:03:04:05'"]),
        ("bit(5)", ["B'10101'"]),
        ("varbit", ["B''", "B'1'"]),
        ("int4range", ["'empty'", "'(,)'", "'[1,5)'"]),
        ("tstzrange", ["'[\"2026-01-01 00:00+00\",infinity)'"]),
        ("int8multirange", ["'{}'", "'{[1,2],[5,9]}'"]),
        ("int[]", ["'{}'", "'{1,NULL,3}'", "'[-1:1]={1,2,3}'", "'{{1,2},{3,4}}'"]),
        ("text[]", ["ARRAY[NULL, 'NULL', '', 'a,b', 'q\"', E'b\\\\s\\n', '{}']"]),
        ("pair", ["'(1,\"a,\"\"b\"\"\\\\\\\\c\",)'", "'(,,)'"]),
        ("pair[]", ["ARRAY['(1,x,)', NULL]::pair[]"]),
        ("mood", ["'so so'", "'quote''s'", "E'back\\\\slash'", "'ünïcode'"]),
        ("mood[]", ["ARRAY['quote''s', NULL]::mood[]"]),
        ("small", ["12.3"]),
        (
            "json",
            [
                "'null'",
                "' { \"a\" : 1 , \"a\" : 2 } '",
                Deep,
                "E'\"\\\\ud800 \\\\u0000\"'",
                "'1e400'",
                "'\"tab\\tescaped\"'",
                "'[1.50, 1E5, -0]'",
            ]
        ),
        ("jsonb", ["'null'", "'{\"n\": 123456789012345678901234567890.123456789}'", Deep, "'\"\"'", "'[\"ü\\\\ud83c\\\\udf89\"]'"]),
        ("document", ["'{\"b\": null}'"]),
        ("documents", ["'[]'"]),
        ("json[]", ["ARRAY['{\"a\": 1}', NULL]::json[]"]),
        ("jsonpath", ["'$.a[*] ? (@ > 1)'"]),
        ("xml", ["'<a b=\"c\">&amp;</a>'", "'plain'"]),
        ("tsvector", ["'a:1 fat:2B ''q'':3'"]),
        ("tsquery", ["'fat & (rat | cat:*)'"]),
        ("point", ["'(1e-300,-0)'"]),
        ("line", ["'{1,2,3}'"]),
        ("lseg", ["'[(0,0),(1,1)]'"]),
        ("box", ["'(1,1),(0,0)'"]),
        ("path", ["'((0,0),(1,1))'", "'[(0,0),(1,1)]'"]),
        ("polygon", ["'((0,0),(1,1),(1,0))'"]),
        ("circle", ["'<(0.1,0.2),0.3>'"]),
        ("oid", ["4294967295"]),
        ("regclass", ["'pg_catalog.pg_class'"]),
        ("pg_lsn", ["'16/B374D848'"]),
        ("xid8", ["'18446744073709551615'"]),
        ("txid_snapshot", ["'10:20:10,14'"]),
        ("hstore", ["'\"a\"=>NULL, \"b\"=>\"q\\\"\"'"]),
        ("cube", ["'(1,2),(3,4)'"]),
    ];
}
