using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>The kill switch: pauses of policies, in the ledger, so that one command stops every worker between two batches.</summary>
internal static class Pauses
{
    /// <summary>As source or policy: all of them.</summary>
    public const string All = "";

    private const string Everything = "everything";

    private const string Find = """
        SELECT p.source, p.policy
        FROM archiver.pauses AS p
        WHERE p.source IN ($1, '') AND p.policy IN ($2, '')
        ORDER BY p.source, p.policy
        LIMIT 1
        """;

    private const string Stray =
        "SELECT p.source, p.policy FROM archiver.pauses AS p WHERE p.source = $1 AND p.policy <> ALL ($2 || ARRAY['']) ORDER BY 2 LIMIT 1";

    private const string Insert = """
        INSERT INTO archiver.pauses (source, policy, paused_by) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
        """;

    private const string Remove = "DELETE FROM archiver.pauses AS p WHERE ($1 = '' OR p.source = $1) AND ($2 = '' OR p.policy = $2)";

    private const string List = "SELECT p.source, p.policy FROM archiver.pauses AS p ORDER BY 1, 2";

    private const string Resumed = """
        SELECT max(a.at)
        FROM archiver.audit AS a
        WHERE a.action = 'resume' AND (a.source = $1 OR a.source IS NULL) AND (a.policy = $2 OR a.policy IS NULL)
          AND (a.counts ->> 'pauses')::bigint > 0
        """;

    /// <summary>What pauses a policy, as a person named it (everything, a source, source/policy), or null.</summary>
    public static async Task<string?> FindAsync(
        NpgsqlConnection connection,
        string source,
        string policy,
        CancellationToken cancellationToken
    ) => (await connection.QueryAsync(Find, Name, cancellationToken, PgParameter.Text(source), PgParameter.Text(policy))).FirstOrDefault();

    /// <summary>
    /// A pause of one of the source's policies that is configured no more, as a person named it, or null. Under which name that policy runs
    /// now nobody knows, so whoever paused it would see it run.
    /// </summary>
    public static async Task<string?> FindStrayAsync(
        NpgsqlConnection connection,
        SourceSettings source,
        CancellationToken cancellationToken
    ) =>
        (
            await connection.QueryAsync(
                Stray,
                Name,
                cancellationToken,
                PgParameter.Text(source.Name),
                PgParameter.Texts(source.Policies.Select(p => p.Name))
            )
        ).FirstOrDefault();

    /// <summary>
    /// What stops runs of a configured policy, as a message says it, or null: a pause of it, or one of which nobody knows whether it is of
    /// it.
    /// </summary>
    public static async Task<string?> StoppedByAsync(
        NpgsqlConnection connection,
        SourceSettings source,
        string policy,
        CancellationToken cancellationToken
    ) =>
        await StoppedByAsync(connection, source.Name, policy, cancellationToken) is { } paused ? paused
        : await FindStrayAsync(connection, source, cancellationToken) is { } stray
            ? $"paused by archiver pause of {stray}, and no policy of that name is configured any more: pause what it has become, then: "
                + $"archiver resume {stray}"
        : null;

    /// <summary>The same for a run that no policy asks for, by its action.</summary>
    public static async Task<string?> StoppedByAsync(
        NpgsqlConnection connection,
        string source,
        string action,
        CancellationToken cancellationToken
    ) =>
        await FindAsync(connection, source, action, cancellationToken) is { } name
            ? $"paused by archiver pause; to go on: {ResumeCommand(name)}"
            : null;

    /// <summary>When runs of a policy were last let go on by a person, or null.</summary>
    public static async Task<DateTimeOffset?> ResumedAtAsync(
        NpgsqlConnection connection,
        string source,
        string policy,
        CancellationToken cancellationToken
    ) =>
        (
            await connection.QueryAsync(
                Resumed,
                row => row.InstantOrNull(0),
                cancellationToken,
                PgParameter.Text(source),
                PgParameter.Text(policy)
            )
        )[0];

    /// <summary>What lifts a pause that <see cref="FindAsync"/> named.</summary>
    public static string ResumeCommand(string name) => name == Everything ? "archiver resume" : $"archiver resume {name}";

    /// <summary>Pauses; again is no error.</summary>
    public static Task<int> AddAsync(
        SourceConnections connections,
        string source,
        string policy,
        string by,
        CancellationToken cancellationToken
    ) =>
        ChangeAsync(
            connections,
            "pause",
            source,
            policy,
            by,
            [PgParameter.Text(source), PgParameter.Text(policy), PgParameter.Text(by)],
            Insert,
            cancellationToken
        );

    /// <summary>Lifts a pause and all narrower ones; returns how many there were.</summary>
    public static Task<int> RemoveAsync(
        SourceConnections connections,
        string source,
        string policy,
        string by,
        CancellationToken cancellationToken
    ) =>
        ChangeAsync(
            connections,
            "resume",
            source,
            policy,
            by,
            [PgParameter.Text(source), PgParameter.Text(policy)],
            Remove,
            cancellationToken
        );

    /// <summary>All pauses in force, as a person named them.</summary>
    public static async Task<IReadOnlyList<string>> ListAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        await connection.QueryAsync(List, Name, cancellationToken);

    private static async Task<int> ChangeAsync(
        SourceConnections connections,
        string action,
        string source,
        string policy,
        string by,
        NpgsqlParameter[] parameters,
        string sql,
        CancellationToken cancellationToken
    )
    {
        await using var change = await LedgerTransaction.BeginAsync(connections, source, cancellationToken);
        var changed = await change.Connection.ExecuteAsync(sql, cancellationToken, parameters);
        await change.AuditAsync(
            new(
                by,
                action,
                source == All ? null : source,
                policy == All ? null : policy,
                Counts: new Dictionary<string, long> { ["pauses"] = changed }
            ),
            cancellationToken
        );
        await change.CommitAsync(cancellationToken);
        return changed;
    }

    private static string Name(NpgsqlDataReader row) =>
        (row.GetString(0), row.GetString(1)) switch
        {
            (All, All) => Everything,
            (var source, All) => source,
            var (source, policy) => $"{source}/{policy}",
        };
}
