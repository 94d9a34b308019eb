namespace Archiver.Worker.Output;

/// <summary>A source that a ledger knows, as <c>source list --json</c> prints it.</summary>
/// <param name="LedgerOf">The configured source by whose connection it was read.</param>
internal sealed record SourceJson(string LedgerOf, string Name, IReadOnlyList<string> Tables);
