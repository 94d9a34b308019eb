using System.Text;
using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>
/// Takes the ids of erased sessions out of the errors of runs and proofs, in one reading of them. Here and not by a pattern per id in SQL:
/// with thousands of sessions and long errors that took minutes.
/// </summary>
internal static class RunErrors
{
    private const string Erased = "(erased)";

    private const string OfRuns = "SELECT r.id::text, r.error FROM archiver.runs AS r WHERE r.source = $1 AND r.error <> ''";

    private const string WriteRuns = """
        UPDATE archiver.runs AS r SET error = n.error FROM unnest($2, $3) AS n (id, error) WHERE r.source = $1 AND r.id = n.id::uuid
        """;

    // A proof keeps its last error until it is tried again, and for ever where it is no longer scheduled.
    private const string OfProofs = "SELECT p.proof, p.error FROM archiver.proofs AS p WHERE p.source = $1 AND p.error <> ''";

    private const string WriteProofs = """
        UPDATE archiver.proofs AS p SET error = n.error FROM unnest($2, $3) AS n (id, error) WHERE p.source = $1 AND p.proof = n.id
        """;

    /// <summary>Joins the connection's transaction.</summary>
    /// <param name="connection">In a transaction.</param>
    /// <param name="source">Whose runs.</param>
    /// <param name="sessions">The ids, in each spelling that an error may have.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task ForgetAsync(
        NpgsqlConnection connection,
        string source,
        IReadOnlyCollection<string> sessions,
        CancellationToken cancellationToken
    )
    {
        var ids = sessions.ToHashSet(StringComparer.Ordinal);
        int[] lengths = [.. ids.Select(i => i.Length).Where(l => l > 0).Distinct().OrderDescending()];
        foreach (var (read, write) in new[] { (OfRuns, WriteRuns), (OfProofs, WriteProofs) })
        {
            List<(string Id, string Error)> changed = [];
            await using (var command = connection.Command(read, PgParameter.Text(source)))
            await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
            {
                while (await reader.ReadAsync(cancellationToken))
                {
                    if (Without(reader.GetString(1), ids, lengths) is { } error)
                        changed.Add((reader.GetString(0), error));
                }
            }
            if (changed.Count > 0)
                await connection.ExecuteAsync(
                    write,
                    cancellationToken,
                    PgParameter.Text(source),
                    PgParameter.Texts(changed.Select(c => c.Id)),
                    PgParameter.Texts(changed.Select(c => c.Error))
                );
        }
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
