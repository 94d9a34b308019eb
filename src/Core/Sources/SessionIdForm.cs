using System.Globalization;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Sources;

/// <summary>Writes an id that a person gave as the server writes a key: <c>0B9C...</c> and <c>0b9c...</c> are one uuid.</summary>
internal sealed class SessionIdForm
{
    private const string KeyType = """
        WITH RECURSIVE base AS (
          SELECT a.atttypid AS typid FROM pg_catalog.pg_attribute AS a
          WHERE a.attrelid = pg_catalog.to_regclass($1) AND a.attname = $2 AND NOT a.attisdropped
          UNION ALL
          SELECT t.typbasetype FROM base AS b JOIN pg_catalog.pg_type AS t ON t.oid = b.typid WHERE t.typtype = 'd'
        )
        SELECT coalesce((SELECT pg_catalog.format_type(b.typid, NULL) FROM base AS b JOIN pg_catalog.pg_type AS t ON t.oid = b.typid
          AND t.typtype <> 'd'), '')
        """;

    private readonly IReadOnlyList<string> _types;

    private SessionIdForm(IReadOnlyList<string> types) => _types = types;

    /// <summary>Reads the types of the session key; where the table is gone, ids stay as they were given.</summary>
    public static async Task<SessionIdForm> ReadAsync(NpgsqlConnection connection, SourceMap map, CancellationToken cancellationToken)
    {
        List<string> types = [];
        foreach (var column in map.Session.Key)
            types.Add(
                await connection.ScalarAsync<string>(
                    KeyType,
                    cancellationToken,
                    PgParameter.Text(map.Session.Table.Sql),
                    PgParameter.Text(column)
                ) ?? ""
            );
        return new(types);
    }

    /// <summary>The id as a key; as it is when it can only be an external id.</summary>
    public string KeyOf(string id) =>
        _types is [var type] ? Written(id, type)
        : SessionIdText.Read(id, _types.Count) is { } values ? SessionIdText.Of([.. values.Zip(_types, Written)])
        : id;

    private static string Written(string id, string type) =>
        type switch
        {
            "uuid" when Guid.TryParse(id, out var uuid) => uuid.ToString(),
            "smallint"
            or "integer"
            or "bigint" when long.TryParse(id, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) => number.ToString(
                CultureInfo.InvariantCulture
            ),
            "numeric" => SessionIdText.Number(id),
            _ => id,
        };
}
