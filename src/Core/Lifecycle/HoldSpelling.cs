using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Lifecycle;

/// <summary>
/// Holds by user that stand in the ledger as somebody typed them: earlier versions took them so, and a column may have got another type since.
/// A hold compares as text, so such a one would cover no live session. It stays, for archives of that spelling, and gets another beside it.
/// </summary>
internal static class HoldSpelling
{
    private const string Users = "SELECT DISTINCT h.user_id FROM archiver.holds AS h WHERE h.source = $1 AND h.removed_at IS NULL AND h.user_id !~ $2";

    private const string AddBeside = """
        INSERT INTO archiver.holds (source, user_id, reason, created_by)
        SELECT h.source, $3, h.reason || ' (hold ' || h.id || ', its user as the column writes it)', h.created_by
        FROM archiver.holds AS h
        WHERE h.source = $1 AND h.user_id = $2 AND h.removed_at IS NULL
          AND NOT EXISTS (SELECT FROM archiver.holds AS t WHERE t.source = h.source AND t.user_id = $3 AND t.removed_at IS NULL)
        ORDER BY h.id
        LIMIT 1
        """;

    /// <summary>Adds what is missing, before anything is done that a hold forbids.</summary>
    /// <param name="connection">Not in a transaction.</param>
    /// <param name="source">The source.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task MendAsync(NpgsqlConnection connection, SourceSettings source, CancellationToken cancellationToken)
    {
        foreach (var (typed, written) in await OddAsync(connection, source, cancellationToken).ConfigureAwait(false))
        {
            if (written is not null)
                await connection.ExecuteAsync(AddBeside, cancellationToken, PgParameter.Text(source.Name), PgParameter.Text(typed), PgParameter.Text(written)).ConfigureAwait(false);
        }
    }

    /// <summary>Users of holds in force that the column writes otherwise, with how; null where no row can have them.</summary>
    public static async Task<IReadOnlyDictionary<string, string?>> OddAsync(NpgsqlConnection connection, SourceSettings source, CancellationToken cancellationToken)
    {
        var odd = new Dictionary<string, string?>(StringComparer.Ordinal);
        var given = new GivenIds(connection, source.Map);
        if (source.Map.Session.User is null || Written(await given.UserTypeAsync(cancellationToken).ConfigureAwait(false)) is not { } form)
            return odd;
        foreach (var typed in await connection.QueryAsync(Users, row => row.GetString(0), cancellationToken, PgParameter.Text(source.Name), PgParameter.Text(form)).ConfigureAwait(false))
        {
            var written = await given.KnownUserAsync(typed, cancellationToken).ConfigureAwait(false);
            if (written != typed)
                odd[typed] = written;
        }
        return odd;
    }

    /// <summary>What a type writes always, so that nothing of it need be asked; null for a type in which all texts are values.</summary>
    private static string? Written(string? type) => type switch
    {
        null or "text" or "character varying" => null,
        "uuid" => "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        "smallint" or "integer" or "bigint" => "^(0|-?[1-9][0-9]*)$",
        _ => "^$",
    };
}
