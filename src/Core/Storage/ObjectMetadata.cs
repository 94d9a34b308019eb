namespace Archiver.Core.Storage;

/// <summary>
/// What an object says about itself, as ASCII key-value pairs (<c>x-amz-meta-*</c> on S3): whose ledger, which database and which
/// upload attempt. No user, session or message data: metadata shows in access logs.
/// </summary>
public sealed record ObjectMetadata
{
    /// <summary>Id of the ledger that recorded the object; reconcile touches no object of another ledger.</summary>
    public required string LedgerId { get; init; }

    /// <summary><c>system_identifier</c> of the PostgreSQL cluster.</summary>
    public required string SystemId { get; init; }

    /// <summary>
    /// Name of the database that the rows are from, percent-encoded where it is not plain ASCII; null for what is not an archive.
    /// </summary>
    public string? Database { get; init; }

    /// <summary>Name of the source, percent-encoded where it is not plain ASCII.</summary>
    public required string Source { get; init; }

    /// <summary>The run that wrote it (UUIDv7).</summary>
    public required string Run { get; init; }

    /// <summary>Random, one a put: settles a put whose answer was lost.</summary>
    public required string Attempt { get; init; }

    /// <summary>The pairs as stored, without the <c>x-amz-meta-</c> prefix: <c>archiver-ledger</c>, <c>archiver-system</c>,
    /// <c>archiver-database</c>, <c>archiver-source</c>, <c>archiver-run</c>, <c>archiver-attempt</c>.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Pairs =>
        [
            new(LedgerKey, LedgerId),
            new(SystemKey, SystemId),
            .. Database is null ? [] : new KeyValuePair<string, string>[] { new(DatabaseKey, Uri.EscapeDataString(Database)) },
            new(SourceKey, Uri.EscapeDataString(Source)),
            new("archiver-run", Run),
            new(AttemptKey, Attempt),
        ];

    /// <summary>Names of the pairs that say whose an object is.</summary>
    public const string LedgerKey = "archiver-ledger",
        SystemKey = "archiver-system",
        DatabaseKey = "archiver-database",
        SourceKey = "archiver-source";

    /// <summary>Name of the pair that holds <see cref="Attempt"/>.</summary>
    public const string AttemptKey = "archiver-attempt";
}
