using System.Globalization;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Selection;
using Archiver.Core.Settings;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Selection;

/// <summary>Tables so large that a scan shows in the plan.</summary>
internal static class LargeTables
{
    internal const int Large = 200_000,
        Page = 1000,
        Days = 416;

    internal static readonly Policy Idle = new()
    {
        Source = "main",
        Name = "policy",
        Action = PolicyAction.Archive,
        IdleFor = TimeSpan.FromDays(90),
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // Every eleventh session gets a message, so that the condition on the children's times is not one on an empty table. Indexes are built
    // when the rows are there: to keep them up with each row took most of these tests' time.
    internal static async Task FillAsync(ArchiverFixture archiver, string table, string key, string columns, string values, int count)
    {
        var messages = table == "sessions" ? "messages" : "chat_messages";
        await archiver.Database.ExecuteAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"""
                CREATE TEMP TABLE later AS SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
                  FROM pg_index WHERE indrelid IN ('{table}'::regclass, '{messages}'::regclass)
                    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid);
                DO $do$ BEGIN EXECUTE (SELECT coalesce(string_agg('DROP INDEX ' || name, ';'), '') FROM later); END $do$;
                WITH added AS (
                  INSERT INTO {table} ({key}, {columns})
                  SELECT md5(n::text)::uuid, {values} FROM generate_series(1, {count}) AS n
                  RETURNING {key} AS k
                )
                INSERT INTO {messages} (session_id, role, content)
                SELECT a.k, 'user', 'x' FROM (SELECT k, row_number() OVER () AS n FROM added) AS a WHERE a.n % 11 = 0;
                DO $do$ BEGIN EXECUTE (SELECT coalesce(string_agg(definition, ';'), '') FROM later); END $do$;
                DROP TABLE later;
                ANALYZE {table}, {messages};
                """
            ),
            Token
        );
    }

    internal static async Task<string> ExplainAsync(
        ArchiverFixture archiver,
        Policy policy,
        PageMark? after,
        string options = "COSTS",
        string settings = "SELECT",
        int page = Page,
        SourceSettings? source = null
    )
    {
        await using var scope = await archiver.BeginAsync(new(source ?? archiver.Source, policy), Token);
        var parameters = new SqlParameters();
        var sql = new SelectionStatements(scope.Context).Page(parameters, after, page);
        await using var connection = await archiver.Connections.OpenAsync(Token);
        await using var transaction = await connection.BeginTransactionAsync(Token);
        await connection.ExecuteAsync(settings, Token);
        return string.Join(
            '\n',
            await connection.QueryAsync($"EXPLAIN ({options}) {sql}", row => row.GetString(0), Token, parameters.ToArray())
        );
    }
}
