using System.Text;
using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>
/// Takes the ids of erased sessions out of the errors of runs, in one reading of them. Here and not by a pattern per id in SQL: with
/// thousands of sessions and long errors that took minutes.
/// </summary>
internal static class RunErrors
{
    private const string Erased = "(erased)";

    private const string Read = "SELECT r.id, r.error FROM archiver.runs AS r WHERE r.source = $1 AND r.error <> ''";

    private const string Write = "UPDATE archiver.runs AS r SET error = n.error FROM unnest($1, $2) AS n (id, error) WHERE r.id = n.id";

    /// <summary>Joins the connection's transaction.</summary>
    public static async Task ForgetAsync(
        NpgsqlConnection connection,
        string source,
        IReadOnlyCollection<string> sessions,
        CancellationToken cancellationToken
    )
    {
        List<(Guid Run, string Error)> changed = [];
        await using (var command = connection.Command(Read, PgParameter.Text(source)))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            var ids = sessions.ToHashSet(StringComparer.Ordinal);
            int[] lengths = [.. ids.Select(i => i.Length).Where(l => l > 0).Distinct().OrderDescending()];
            while (await reader.ReadAsync(cancellationToken))
            {
                if (Without(reader.GetString(1), ids, lengths) is { } error)
                    changed.Add((reader.GetGuid(0), error));
            }
        }
        if (changed.Count > 0)
            await connection.ExecuteAsync(
                Write,
                cancellationToken,
                PgParameter.Uuids(changed.Select(c => c.Run)),
                PgParameter.Texts(changed.Select(c => c.Error))
            );
    }

    /// <summary>The error without the ids, each of which is a word of its own; null where it names none.</summary>
    internal static string? Without(string error, HashSet<string> ids, int[] lengths)
    {
        var known = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        StringBuilder? text = null;
        var copied = 0;
        for (var at = 0; at < error.Length; at++)
        {
            if (at > 0 && char.IsLetterOrDigit(error[at - 1]))
                continue;
            foreach (var length in lengths)
            {
                if (
                    at + length > error.Length
                    || (at + length < error.Length && char.IsLetterOrDigit(error[at + length]))
                    || !known.Contains(error.AsSpan(at, length))
                )
                    continue;
                text = (text ?? new()).Append(error, copied, at - copied).Append(Erased);
                copied = at + length;
                at = copied - 1;
                break;
            }
        }
        return text?.Append(error, copied, error.Length - copied).ToString();
    }
}
