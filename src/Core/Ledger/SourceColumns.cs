using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>
/// Whether a source's ids and users still come from the columns that the ledger knows. Holds, archives and quarantine name sessions by the
/// values of the one, holds of users by the values of the other: mapped to another column, a hold would cover nobody, and what is held
/// would be deleted.
/// </summary>
internal static class SourceColumns
{
    private const string NamesSessions = """
        SELECT EXISTS (SELECT FROM archiver.archives AS a WHERE a.source = $1 AND a.state <> 'erased')
            OR EXISTS (SELECT FROM archiver.holds AS h WHERE h.source = $1 AND h.session_id IS NOT NULL AND h.removed_at IS NULL)
        """;

    private const string NamesUsers =
        "SELECT EXISTS (SELECT FROM archiver.holds AS h WHERE h.source = $1 AND h.user_id IS NOT NULL AND h.removed_at IS NULL)";

    /// <param name="connection">To the ledger.</param>
    /// <param name="source">Name of the source.</param>
    /// <param name="known">Its session table as the ledger knows it.</param>
    /// <param name="mapped">The same as the configuration has it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArchiverException">
    /// They are other columns, and the ledger has something that names the old ones' values; kind Refused.
    /// </exception>
    public static async Task CheckAsync(
        NpgsqlConnection connection,
        string source,
        SourceTable known,
        SourceTable mapped,
        CancellationToken cancellationToken
    )
    {
        // Noted by an older archiver, or not in the table: then inspection has the better words.
        if (known.Key is not { } key || mapped.Key is null)
            return;
        if (!key.Is(mapped.Key) && await connection.ScalarAsync<bool>(NamesSessions, cancellationToken, PgParameter.Text(source)))
            throw new ArchiverException(
                FailureKind.Refused,
                $"Source '{source}' knows its sessions by column {key.Shown} in this ledger, and the configuration maps {mapped.Key.Shown} "
                    + "as Key: holds and archives name sessions by the old one, and what is held would be deleted. Nothing was changed. "
                    + $"Map {key.Shown} again; or, if the other column has the very same ids: archiver source rename {source} {source}"
            );
        if (
            key is { Type: { } before }
            && mapped.Key is { Type: { } now }
            && !WritesTheSame(before, now)
            && await connection.ScalarAsync<bool>(NamesSessions, cancellationToken, PgParameter.Text(source))
        )
            throw new ArchiverException(
                FailureKind.Refused,
                $"The key {key.Shown} of source '{source}' was {before} and is {now} now, which may write the same id otherwise: holds and "
                    + "archives name sessions as the old type wrote them, and what is held would be deleted. Nothing was changed. "
                    + $"Compare with archiver hold list. If they are the very same texts: archiver source rename {source} {source}; else "
                    + "do so with the workers stopped, and add the holds again."
            );
        if (
            known.User is { } user
            && !user.Is(mapped.User)
            && await connection.ScalarAsync<bool>(NamesUsers, cancellationToken, PgParameter.Text(source))
        )
            throw new ArchiverException(
                FailureKind.Refused,
                $"Source '{source}' knows its users by column {PgIdentifier.Quote(user.Name)} in this ledger, and the configuration maps "
                    + $"{(mapped.User is { } other ? PgIdentifier.Quote(other.Name) : "none")} as User: holds of users would cover other "
                    + "sessions. Nothing was changed. "
                    + $"Map {PgIdentifier.Quote(user.Name)} again; or, with the workers stopped: archiver source rename {source} {source}, "
                    + "and add the holds again by what the new mapping has."
            );
    }

    /// <summary>Whether each value of the one type, turned into the other, makes the same id.</summary>
    private static bool WritesTheSame(string before, string now)
    {
        var (old, current) = (before.Split(','), now.Split(','));
        return old.Length == current.Length && old.Zip(current).All(t => t.First == t.Second || Texts(t.First).Contains(Family(t.Second)));
    }

    // A number becomes the text that it was written as, and a text may be "007".
    private static string[] Texts(string type) =>
        Family(type) switch
        {
            "text" => ["text"],
            "integer" => ["integer", "numeric", "text"],
            "numeric" => ["numeric", "integer"],
            "uuid" => ["text"],
            _ => [],
        };

    private static string Family(string type) => type == "character" ? "text" : KeyMatch.Family(type);
}
