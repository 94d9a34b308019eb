using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Discovery;

/// <summary>
/// Looks at the first rows of tables where the catalogs leave a question open: what numbers and texts mean that are named like times, and
/// whether a column that is named after a table holds its keys. Only counts come back. What cannot be answered in time stays open.
/// </summary>
internal sealed class Sampler(NpgsqlConnection connection, NpgsqlTransaction transaction)
{
    private const string Savepoint = "sample";

    private const int Rows = 500;

    /// <summary>Of a database with a thousand tables not every column is worth a question.</summary>
    private const int Most = 60;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    // The years 2001 to 2096. Text is tried as a number nowhere: '20261129' would be one.
    private static string OfNumbers(string column, string table) =>
        $"""
            SELECT count(*), count(*) FILTER (WHERE v <> 0), count(*) FILTER (WHERE v BETWEEN 1e9
              AND 4e9), count(*) FILTER (WHERE v BETWEEN 1e12 AND 4e12),
                   count(*) FILTER (WHERE v BETWEEN 1e15 AND 4e15), 0::bigint
            FROM (SELECT {column}::float8 AS v FROM {table} AS t LIMIT {Rows}) AS sample
            """;

    private static string OfTexts(string column, string table) =>
        $$"""
            SELECT count(*), count(*) FILTER (WHERE v <> ''), 0::bigint, 0::bigint, 0::bigint,
                   count(*) FILTER (WHERE v ~ ('^[0-9]{4}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9]'
                     || '(:[0-5][0-9]([.][0-9]+)?)?( ?(Z|[+-][0-9]{2}(:?[0-9]{2})?))?$'))
            FROM (SELECT {{column}}::text AS v FROM {{table}} AS t LIMIT {{Rows}}) AS sample
            """;

    private static string OfLinks(string column, string table, string parent, string key) =>
        $"""
            SELECT count(*), count(*) FILTER (WHERE EXISTS (SELECT FROM {parent} AS p
              WHERE {key} = sample.v)), 0::bigint, 0::bigint, 0::bigint, 0::bigint
            FROM (SELECT {column} AS v FROM {table} AS t WHERE {column} IS NOT NULL LIMIT 100) AS sample
            """;

    /// <summary>What the values are of columns that are named like times, in tables that may be sessions or a part of them.</summary>
    public async Task<IReadOnlyDictionary<(TableName, string), ValueSample>> ValuesAsync(
        DatabaseFacts facts,
        CancellationToken cancellationToken
    )
    {
        Dictionary<(TableName, string), ValueSample> values = [];
        var unsure = facts
            .Tables.Where(t => t.Readable)
            .OrderByDescending(t =>
                Math.Max(Words.Points(Words.Singular(t.Table.Name), Vocabulary.Sessions), SessionCandidates.MessagePoints(t))
            )
            .SelectMany(t => Times.Unsure(t).Select(c => (Table: t.Table, Column: c)))
            .Take(Most);
        foreach (var (table, column) in unsure)
        {
            var value = Column("t", column.Name);
            if (await AskAsync(column.IsNumber ? OfNumbers(value, table.Sql) : OfTexts(value, table.Sql), cancellationToken) is { } sample)
                values[(table, column.Name)] = sample;
        }
        return values;
    }

    /// <summary>
    /// Whether the columns that only their names may tie to the best candidates hold the keys of these, or of other tables.
    /// </summary>
    public async Task<IReadOnlyDictionary<FoundLink, bool>> MatchesAsync(DatabaseFacts facts, CancellationToken cancellationToken)
    {
        Dictionary<FoundLink, bool> matches = [];
        var links = new Links(facts);
        // What is unclear now may be clear when values have told.
        var parents = new SessionCandidates(facts, links, least: LinkKind.Unclear)
            .All()
            .Take(3)
            .SelectMany(c => new[] { c.Table, c.Messages is null ? null : facts.Table(c.Messages.Link.From) })
            .OfType<FoundTable>()
            .Distinct();
        var columns = parents
            .SelectMany(links.NamedAfter)
            .DistinctBy(l => (l[0].From, l[0].Column))
            .Where(l => facts.Table(l[0].From)!.Readable)
            .Take(Most);
        foreach (var link in columns.SelectMany(l => l))
        {
            var sql = OfLinks(Column("t", link.Column[0]), link.From.Sql, link.To.Sql, Column("p", link.ToColumn[0]));
            if (await AskAsync(sql, cancellationToken) is { Rows: > 0 } sample)
                matches[link] = sample.Set * 2 > sample.Rows;
        }
        return matches;
    }

    private static string Column(string alias, string column) => $"{alias}.{PgIdentifier.Quote(column)}";

    private async Task<ValueSample?> AskAsync(string sql, CancellationToken cancellationToken)
    {
        await transaction.SaveAsync(Savepoint, cancellationToken);
        try
        {
            await connection.ExecuteAsync(
                TransactionSettings.Timeout("statement_timeout", Patience) + TransactionSettings.Timeout("lock_timeout", Patience),
                cancellationToken
            );
            return (
                await connection.QueryAsync(
                    sql,
                    row => new ValueSample(
                        row.GetInt64(0),
                        row.GetInt64(1),
                        row.GetInt64(2),
                        row.GetInt64(3),
                        row.GetInt64(4),
                        row.GetInt64(5)
                    ),
                    cancellationToken
                )
            )[0];
        }
        catch (PostgresException exception) when (!PgErrors.IsTransient(exception) && !cancellationToken.IsCancellationRequested)
        {
            // Too slow, locked, or a policy of the application that fails: it stays open, and the proposal says so.
            return null;
        }
        finally
        {
            if (connection.State == System.Data.ConnectionState.Open)
                await transaction.RollbackAsync(Savepoint, CancellationToken.None);
        }
    }
}
