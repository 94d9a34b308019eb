using System.Text.RegularExpressions;
using Archiver.Core.Deletion;
using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Selection;
using Archiver.Core.Settings;
using Archiver.Testing;
using Npgsql;

namespace Archiver.Integration.Tests.Selection;

/// <summary>
/// Sessions that three columns name are found by the indexes on these, in a table of 200,000: no statement of a batch computes an id for
/// rows that it does not take.
/// </summary>
public sealed class CompositeKeyPlanTests(TestServers servers)
{
    private static readonly ChildTable Events = new()
    {
        Name = "messages",
        Table = new("public", "events"),
        ForeignKey = ["app", "usr", "session"],
        ParentKey = ["app", "usr", "id"],
        Key = ["id", "app", "usr", "session"],
        Order = ["id"],
        Time = "at",
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_statement_of_a_batch_goes_by_the_indexes_of_the_key()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 1, young: 1, messages: 1, preset: "ended-at");
        await archiver.Database.ExecuteAsync(
            """
            CREATE TABLE adk AS SELECT 'a' || n % 3 AS app, ('00000000-0000-0000-0000-' || lpad((n % 1000)::text, 12, '0'))::uuid AS usr,
              n::bigint AS id, now() - n * interval '3 minutes' AS seen FROM generate_series(1, 200000) AS n;
            CREATE TABLE events AS SELECT id, app, usr, id AS session, seen AS at FROM adk WHERE id % 2 = 0;
            ALTER TABLE adk ALTER seen SET NOT NULL, ADD PRIMARY KEY (app, usr, id);
            ALTER TABLE events ALTER at SET NOT NULL, ADD PRIMARY KEY (id, app, usr, session),
              ADD FOREIGN KEY (app, usr, session) REFERENCES adk;
            CREATE INDEX ON events (app, usr, session, at); CREATE INDEX ON adk (seen, app, usr, id);
            ANALYZE adk, events;
            """,
            Token
        );
        var source = archiver.Source with
        {
            Map = new(
                new()
                {
                    Table = new("public", "adk"),
                    Key = ["app", "usr", "id"],
                    Activity = ["seen"],
                },
                [Events]
            ),
        };
        var policy = new Policy
        {
            Source = "main",
            Name = "policy",
            Action = PolicyAction.Archive,
            IdleFor = TimeSpan.FromDays(90),
        };
        await using var scope = await archiver.BeginAsync(new(source, policy), Token);
        await using var connection = await archiver.Connections.OpenAsync(Token);
        var keys = await connection.QueryAsync(
            "SELECT to_json(ARRAY[app, usr::text, id::text])::text FROM adk ORDER BY seen LIMIT 1000",
            row => row.GetString(0),
            Token
        );
        var shape = scope.Context.Shape;
        await using var transaction = await connection.BeginTransactionAsync(Token);
        await connection.ExecuteAsync(TransactionSettings.ReadOnly(TimeSpan.FromMinutes(1)), Token);
        var selection = new SelectionStatements(scope.Context);
        SqlParameters first = new(),
            later = new(),
            sizes = new(),
            facts = new(),
            eligible = new(),
            held = new();
        List<(string Sql, NpgsqlParameter[] Parameters)> pages =
        [
            (selection.Page(first, null, 1000), first.ToArray()),
            (selection.Page(later, new PageMark("2020-01-01 00:00:00+00", keys[0]), 1000), later.ToArray()),
        ];
        foreach (var (sql, parameters) in pages)
            Assert.DoesNotContain("Sort", await ExplainAsync(sql, parameters), StringComparison.Ordinal);

        await connection.ExecuteAsync(TransactionSettings.ByKey, Token);
        await connection.ExecuteAsync(ExportStatements.SetKeys, Token, PgParameter.Texts(keys), PgParameter.Text("UTC"));
        var (export, delete) = (new ExportStatements(scope.Context, shape), new DeleteStatements(source.Map, shape));
        List<(string Sql, NpgsqlParameter[] Parameters)> statements =
        [
            (selection.Sizes(Events, sizes, keys), sizes.ToArray()),
            (selection.StillEligibleFacts(facts, keys), facts.ToArray()),
            (selection.StillEligible(eligible, keys), eligible.ToArray()),
            .. shape.Tables.Select(t =>
                (
                    Regex.Match(export.Copy(t), @"^COPY \((.*)\) TO STDOUT$", RegexOptions.Singleline).Groups[1].Value,
                    Array.Empty<NpgsqlParameter>()
                )
            ),
            (delete.NotHeld(source, held, keys), held.ToArray()),
            delete.LockSessions(keys),
            delete.LockRows(Events, keys),
            delete.Delete(keys, sessionsFirst: false),
        ];

        foreach (var (sql, parameters) in statements)
        {
            var plan = await ExplainAsync(sql, parameters);
            Assert.Matches(@"Index Cond: \(+app\)* = ", plan);
        }

        async Task<string> ExplainAsync(string sql, NpgsqlParameter[] parameters)
        {
            var plan = string.Join('\n', await connection.QueryAsync($"EXPLAIN {sql}", row => row.GetString(0), Token, parameters));
            Assert.DoesNotContain("Seq Scan on adk", plan, StringComparison.Ordinal);
            Assert.DoesNotContain("Seq Scan on events", plan, StringComparison.Ordinal);
            return plan;
        }
    }
}
