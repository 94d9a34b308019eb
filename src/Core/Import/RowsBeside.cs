namespace Archiver.Core.Import;

/// <summary>Rows of a restored session that were in a table before it.</summary>
/// <param name="SessionId">The session.</param>
/// <param name="Table">Schema and table.</param>
/// <param name="Rows">How many.</param>
public sealed record RowsBeside(string SessionId, string Table, long Rows);
