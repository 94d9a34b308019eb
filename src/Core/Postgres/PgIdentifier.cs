namespace Archiver.Core.Postgres;

/// <summary>The one place where a name becomes SQL text. Names are exact, as the catalog has them; quoting keeps PostgreSQL from folding their case.</summary>
internal static class PgIdentifier
{
    /// <summary>The name as a quoted identifier.</summary>
    /// <exception cref="ArgumentException">The name is empty or holds a NUL, which no PostgreSQL identifier can.</exception>
    public static string Quote(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return name.Contains('\0', StringComparison.Ordinal)
            ? throw new ArgumentException("An identifier cannot hold a NUL character.", nameof(name))
            : $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
