namespace Archiver.Core.Configuration;

/// <summary>Finds what a misspelled word was meant to be.</summary>
internal static class DidYouMean
{
    /// <summary><c>"; did you mean 'IdleFor'?"</c>, or nothing when no candidate is close: a third of the letters may differ.</summary>
    public static string Hint(string word, IEnumerable<string> candidates)
    {
        var best = candidates.Select(c => (Candidate: c, Distance: Distance(word, c))).OrderBy(c => c.Distance).FirstOrDefault();
        return best.Candidate is not null && best.Distance <= Math.Max(1, Math.Max(word.Length, best.Candidate.Length) / 3)
            ? $"; did you mean '{best.Candidate}'?"
            : "";
    }

    /// <summary>Insertions, deletions and replacements between two words, case aside.</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var replaced = diagonal + (char.ToUpperInvariant(a[i - 1]) == char.ToUpperInvariant(b[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.Length];
    }
}
