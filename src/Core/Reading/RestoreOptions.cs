namespace Archiver.Core.Reading;

/// <summary>What a restore does with a session that is in the database already.</summary>
public enum ConflictMode
{
    /// <summary>It is refused; the others go on.</summary>
    Fail,

    /// <summary>Identical rows count as there; different ones are refused.</summary>
    Skip,

    /// <summary>The live version is archived first, as the session's next generation.</summary>
    Replace,
}

/// <summary>
/// What to restore, from which source, and to where. At least one of the selections is given; several are ANDed, ids and keys are not
/// combined with others.
/// </summary>
public sealed record RestoreOptions
{
    /// <summary>Name of the source whose ledger and objects are read.</summary>
    public required string Source { get; init; }

    /// <summary>Who asked, for the audit.</summary>
    public required string Who { get; init; }

    /// <summary>Session keys or external ids.</summary>
    public IReadOnlyList<string> Ids { get; init; } = [];

    /// <summary>Keys of objects, each of one session: works without any ledger.</summary>
    public IReadOnlyList<string> ObjectKeys { get; init; } = [];

    public string? User { get; init; }

    /// <summary>The run that archived them.</summary>
    public Guid? Run { get; init; }

    /// <summary>Last activity not before.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Last activity before.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>This generation instead of the newest; only with ids.</summary>
    public int? Generation { get; init; }

    /// <summary>Connection string of another database; null for the source itself.</summary>
    public string? TargetConnectionString { get; init; }

    /// <summary>Schema of the tables to restore to; null for the mapped ones.</summary>
    public string? IntoSchema { get; init; }

    public ConflictMode OnConflict { get; init; }

    public bool Reactivate { get; init; }

    /// <summary>With <see cref="Reactivate"/>: the new expiry; null clears it.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>
    /// No trigger fires; foreign keys are checked by the restore. Needs superuser, or SET granted on session_replication_role.
    /// </summary>
    public bool DisableTriggers { get; init; }

    /// <summary>Everything is tried and rolled back.</summary>
    public bool DryRun { get; init; }

    /// <summary><c>old=new</c> or <c>table.old=new</c>.</summary>
    public IReadOnlyList<string> Maps { get; init; } = [];

    /// <summary><c>column</c>, <c>table.column</c> or <c>table.*</c>.</summary>
    public IReadOnlyList<string> DropColumns { get; init; } = [];

    /// <summary>
    /// <c>column</c> or <c>table.column</c>: columns of another type today that may lose what the server's cast to it loses.
    /// </summary>
    public IReadOnlyList<string> AcceptLoss { get; init; } = [];

    /// <summary>Whether the rows go to where they came from, so that the ledger takes part.</summary>
    public bool IntoSource => TargetConnectionString is null && IntoSchema is null;
}
