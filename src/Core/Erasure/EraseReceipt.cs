using System.Text.Json.Serialization;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;

namespace Archiver.Core.Erasure;

/// <summary>
/// What an erasure did, session by session. Counts are of what is confirmed: committed in the database, absent in the store.
/// </summary>
internal sealed record EraseReceipt
{
    public required string Source { get; init; }

    /// <summary>Empty in a plan, and where no run began.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public Guid RunId { get; init; }

    /// <summary>The database's clock when it began, ISO 8601.</summary>
    public string? At { get; init; }

    public required RunOutcome Outcome { get; init; }

    /// <summary>Nothing was changed: the counts are what would be.</summary>
    public bool Plan { get; init; }

    /// <summary>Nothing of what was asked for is left, as far as this ledger and its bucket go.</summary>
    public bool Complete =>
        Outcome == RunOutcome.Done && Unknown.Count == 0 && Unresolved.Count == 0 && Sessions.All(s => s.State == ErasedSession.Erased);

    public IReadOnlyList<ErasedSession> Sessions { get; init; } = [];

    /// <summary>Rows of live sessions.</summary>
    public long Rows { get; init; }

    /// <summary>Archives: every generation, abandoned copies included.</summary>
    public long Archives { get; init; }

    /// <summary>Objects removed in every version.</summary>
    public long Objects { get; init; }

    /// <summary>Bundles written again without the sessions.</summary>
    public long Bundles { get; init; }

    /// <summary>Manifests that named a session: written again without it, or removed.</summary>
    public long Manifests { get; init; }

    /// <summary>Tombstones written: they keep what was erased from coming back.</summary>
    public long Tombstones { get; init; }

    /// <summary>Ids, or the user, that nobody knows.</summary>
    public IReadOnlyList<string> Unknown { get; init; } = [];

    /// <summary>Ids, or the user, that were erased before and of which nothing is left.</summary>
    public IReadOnlyList<string> ErasedBefore { get; init; } = [];

    /// <summary>What may hold something of it and could not be read, or may not be removed from here; a sentence each.</summary>
    public IReadOnlyList<string> Unresolved { get; init; } = [];

    /// <summary>Nothing was found of what was asked for, so nothing was erased.</summary>
    public bool NoMatch =>
        Outcome is RunOutcome.Done or RunOutcome.Partial
        && Sessions.Count == 0
        && ErasedBefore.Count == 0
        && Unresolved.Count == 0
        && Unknown.Count > 0;

    /// <summary>One sentence for a person; null when it went to its end.</summary>
    public string? Error { get; init; }

    /// <summary>The exit code of the command line: 0 only when nothing is left.</summary>
    public int ExitCode =>
        Outcome switch
        {
            RunOutcome.Paused => 3,
            RunOutcome.Done when !Complete => 1,
            _ => Outcome.ExitCode(),
        };
}

/// <summary>What became of one session.</summary>
/// <param name="SessionId">Its key.</param>
/// <param name="State"><see cref="Erased"/>, <see cref="Held"/> or <see cref="Remaining"/>; in a plan what would become of it.</param>
/// <param name="Reasons">Why something of it is left.</param>
internal sealed record ErasedSession(string SessionId, string State, IReadOnlyList<string> Reasons)
{
    public const string Erased = "erased",
        Held = "held",
        Remaining = "remaining";
}
