using System.Globalization;

namespace Archiver.Core.Settings;

/// <summary>
/// One of n parts of a source's sessions. The server hashes the session key, so that every worker and every statement agrees on whose a
/// session is, whatever the key's type.
/// </summary>
/// <param name="Number">From 1.</param>
/// <param name="Count">How many parts there are; 1 for the whole source.</param>
public readonly record struct Shard(int Number, int Count)
{
    /// <summary>All sessions of the source.</summary>
    public static Shard Whole => new(1, 1);

    public bool IsWhole => Count == 1;

    /// <summary>All parts.</summary>
    public static IEnumerable<Shard> All(int count) => Enumerable.Range(1, count).Select(number => new Shard(number, count));

    /// <summary>As <c>2/3</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Number}/{Count}");

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    public static Shard Parse(string text) =>
        text.Split('/') is [var number, var count]
            ? new(
                int.Parse(number, NumberStyles.None, CultureInfo.InvariantCulture),
                int.Parse(count, NumberStyles.None, CultureInfo.InvariantCulture)
            )
            : throw new FormatException($"'{text}' is no shard such as 2/3.");

    /// <summary>The part's share of a bound; over all parts the shares add up to the bound, whichever worker runs which.</summary>
    public long ShareOf(long limit) => limit == long.MaxValue ? limit : (limit / Count) + (Number <= limit % Count ? 1 : 0);

    /// <summary>The condition that a session's key is of this part.</summary>
    /// <param name="key">The key column, or an expression of it.</param>
    // The sign bit goes before the modulo: of a negative hash it would be negative, and the session nobody's.
    internal string Sql(string key) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"(hashtextextended({key}::text COLLATE \"C\", 0) & 9223372036854775807) % {Count} = {Number - 1}"
        );
}
