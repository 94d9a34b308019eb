using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;

namespace Archiver.Core.Discard;

/// <summary>What a discard did, or in a plan what it would do. Counts are of what a commit confirms.</summary>
internal sealed record DiscardReport
{
    public required string Source { get; init; }

    /// <summary>Empty in a plan.</summary>
    public Guid RunId { get; init; }

    public required RunOutcome Outcome { get; init; }

    /// <summary>Nothing was changed: the counts are what would be.</summary>
    public bool Plan { get; init; }

    /// <summary>Destroyed: confirmed absent in the store, in every version.</summary>
    public DiscardCount Discarded { get; init; } = DiscardCount.None;

    /// <summary>Announced now; destroyed by a later discard, once the notice has passed.</summary>
    public DiscardCount Announced { get; init; } = DiscardCount.None;

    /// <summary>Announced before, not due yet.</summary>
    public DiscardCount Waiting { get; init; } = DiscardCount.None;

    /// <summary>Old enough, and some session in the object is under a legal hold.</summary>
    public DiscardCount Held { get; init; } = DiscardCount.None;

    /// <summary>Old enough, and nobody knows whether its sessions are archived: see reconcile.</summary>
    public DiscardCount Unknown { get; init; } = DiscardCount.None;

    /// <summary>Old enough, and the rows of some session in the object are live and bear the mark of this copy.</summary>
    public DiscardCount Stored { get; init; } = DiscardCount.None;

    /// <summary>Objects that are still there although they should be gone, each with its reason.</summary>
    public IReadOnlyList<ObjectFailure> Failed { get; init; } = [];

    /// <summary>When the next announced one is due; null when none is.</summary>
    public string? NextDue { get; init; }

    /// <summary>One sentence for a person; null when it went to its end.</summary>
    public string? Error { get; init; }

    /// <summary>The exit code of the command line.</summary>
    public int ExitCode => Outcome.ExitCode();
}

/// <summary>Objects, the archives in them, and their bytes in the store.</summary>
internal sealed record DiscardCount(long Objects, long Archives, long Bytes)
{
    public static DiscardCount None { get; } = new(0, 0, 0);

    public static DiscardCount Of(IReadOnlyCollection<OldObject> objects) =>
        new(objects.Count, objects.Sum(o => o.Archives), objects.Sum(o => o.Length));

    public DiscardCount Without(DiscardCount other) => new(Objects - other.Objects, Archives - other.Archives, Bytes - other.Bytes);

    public DiscardCount And(DiscardCount other) => new(Objects + other.Objects, Archives + other.Archives, Bytes + other.Bytes);
}

/// <summary>An object that could not be removed.</summary>
internal sealed record ObjectFailure(string Key, string Reason);
