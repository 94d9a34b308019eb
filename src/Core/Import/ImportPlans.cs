using System.Text.RegularExpressions;
using Archiver.Core.Documents;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;

namespace Archiver.Core.Import;

/// <summary>The plans of one restore, one for each set of tables that documents describe; nearly always a single one.</summary>
internal sealed partial class ImportPlans(
    RestoreTarget target,
    DriftOptions drift,
    Func<CancellationToken, Task<Npgsql.NpgsqlConnection>> open,
    string timeZone
) : IDisposable
{
    private const string KnownTypes = """
        WITH RECURSIVE base AS (
          SELECT n.name, t.oid, t.typtype, t.typbasetype
          FROM unnest($1) AS n (name)
          JOIN pg_catalog.pg_type AS t ON t.oid = pg_catalog.to_regtype(n.name)
          UNION ALL
          SELECT b.name, t.oid, t.typtype, t.typbasetype
          FROM base AS b
          JOIN pg_catalog.pg_type AS t ON t.oid = b.typbasetype
          WHERE b.typtype = 'd'
        )
        SELECT b.name, pg_catalog.format_type(b.oid, NULL) FROM base AS b WHERE b.typtype <> 'd'
        """;

    private readonly Dictionary<string, ImportPlan> _plans = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _one = new(1);

    /// <summary>The columns of the target's session key.</summary>
    public KeyColumns SessionKey => target.Map.Session.Key;

    /// <summary>The target's user column, if one is mapped.</summary>
    public string? User => target.Map.Session.User;

    /// <exception cref="RefusedSessionException">Documents of this kind have no place in the tables of today.</exception>
    public async Task<ImportPlan> GetAsync(DocumentHeader header, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (!_plans.TryGetValue(header.Signature, out var plan))
                _plans.Add(
                    header.Signature,
                    plan = ImportPlan.For(header, target, drift, await KnownAsync(header, cancellationToken), timeZone)
                );
            return plan;
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    /// <summary>
    /// Types of the documents that the server knows. They become part of a statement, and a document is only a file that somebody
    /// may have written: nothing but the plain form of a type's name passes.
    /// </summary>
    private async Task<IReadOnlyDictionary<string, string>> KnownAsync(DocumentHeader header, CancellationToken cancellationToken)
    {
        List<string> types =
        [
            .. header.Tables.SelectMany(t => t.Columns).Select(c => c.Type).Distinct().Where(t => PlainType().IsMatch(t)),
        ];
        await using var connection = await open(cancellationToken);
        return (
            await connection.QueryAsync(
                KnownTypes,
                row => (Name: row.GetString(0), Base: row.GetString(1)),
                cancellationToken,
                PgParameter.Texts(types)
            )
        ).ToDictionary(row => row.Name, row => row.Base, StringComparer.Ordinal);
    }

    [GeneratedRegex(
        @"^(double precision|character varying|bit varying|(time|timestamp)(\(\d\))? with(out)? time zone|"
            + @"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?)(\(\d{1,8}(,-?\d{1,5})?\))?(\[\])*$"
    )]
    private static partial Regex PlainType();
}
