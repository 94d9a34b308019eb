namespace Archiver.Core.Sources;

/// <summary>A session's key somewhere in a statement.</summary>
/// <param name="Values">SQL of each of its columns.</param>
/// <param name="Id">SQL of its id, of type <see cref="KeyForm.Type"/>.</param>
internal sealed record SessionKey(IReadOnlyList<string> Values, string Id)
{
    /// <summary>Its columns, to order by.</summary>
    public string List => string.Join(", ", Values);

    /// <summary>To compare with another key, column by column: so that an index on them serves.</summary>
    public string Row => Values is [var only] ? only : $"({List})";

    /// <summary>It is the other one.</summary>
    public string Is(SessionKey other) => $"{Row} = {other.Row}";

    /// <summary>Its id.</summary>
    public override string ToString() => Id;
}
