using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Selection;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Export;

/// <summary>
/// Chooses the messages of parts, once, in the export's snapshot: what is due, without what a row that stays needs by a foreign key. The
/// server would not let such a message go; it would be stored in every run and deleted in none.
/// </summary>
internal sealed class PartChoice(NpgsqlConnection connection, RunContext run, SourceShape shape)
{
    private readonly PartStatements _statements = new(run, shape);

    /// <summary>The versions of the chosen messages of each session, in the order of the sessions; none where nothing can go.</summary>
    public async Task<IReadOnlyList<IReadOnlyList<long>>> ReadAsync(
        IReadOnlyList<SelectedSession> sessions,
        CancellationToken cancellationToken
    )
    {
        await connection.ExecuteAsync(
            ExportStatements.SetKeys,
            cancellationToken,
            PgParameter.Texts(sessions.Select(s => s.Key)),
            PgParameter.Text(run.Source.TimeZone)
        );
        var parameters = new SqlParameters();
        var sql = _statements.Due(parameters);
        var due = await connection.QueryAsync(
            sql,
            row => (Session: row.GetInt32(0) - 1, Version: row.GetInt64(1)),
            cancellationToken,
            parameters.ToArray()
        );
        await SetAsync(due.Select(d => d.Version), cancellationToken);
        if (await NeededAsync(cancellationToken) is { Count: > 0 } needed)
        {
            due.RemoveAll(d => needed.Contains(d.Version));
            await SetAsync(due.Select(d => d.Version), cancellationToken);
        }
        var chosen = sessions.Select(_ => new List<long>()).ToList();
        foreach (var (session, version) in due)
            chosen[session].Add(version);
        return chosen;
    }

    private Task<int> SetAsync(IEnumerable<long> versions, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(PartStatements.SetVersions, cancellationToken, PgParameter.Bigints(versions));

    /// <summary>What rows that stay point to, and then what those messages point to, which stay for that.</summary>
    private async Task<HashSet<long>> NeededAsync(CancellationToken cancellationToken)
    {
        Dictionary<long, List<long>> pointsTo = [];
        Stack<long> open = [];
        foreach (var sql in shape.References.Select(_statements.Needed).OfType<string>())
        {
            var needed = await connection.QueryAsync(
                sql,
                row => (From: row.IsDBNull(0) ? (long?)null : row.GetInt64(0), To: row.GetInt64(1)),
                cancellationToken
            );
            foreach (var (from, to) in needed)
            {
                if (from is null)
                    open.Push(to);
                else if (pointsTo.TryGetValue(from.Value, out var others))
                    others.Add(to);
                else
                    pointsTo[from.Value] = [to];
            }
        }
        HashSet<long> stay = [];
        while (open.TryPop(out var message))
        {
            if (!stay.Add(message))
                continue;
            foreach (var other in pointsTo.GetValueOrDefault(message, []))
                open.Push(other);
        }
        return stay;
    }
}
