using Archiver.Core.Storage;

namespace Archiver.Core.Reconciliation;

/// <summary>What <c>ledger move</c> is told.</summary>
/// <param name="From">
/// Where the ledger has the objects, as it writes it: <c>s3://bucket</c> or a folder. Null where there is only one such place.
/// </param>
/// <param name="FromPrefix">Their prefix there; null where it has stayed the same.</param>
/// <param name="Apply">Whether to rewrite the ledger, or only to verify.</param>
public sealed record MoveOptions(string? From, string? FromPrefix, bool Apply);

/// <summary>What <c>ledger move</c> found and did. Unless everything was verified the ledger is as it was.</summary>
public sealed record MoveReport
{
    /// <summary>Old place and prefix; null when the ledger has nothing elsewhere.</summary>
    public required string? From { get; init; }

    /// <summary>The configured place and prefix.</summary>
    public required string To { get; init; }

    /// <summary>Objects that were read to their end at the new place and are what the ledger says.</summary>
    public required long Verified { get; init; }

    /// <summary>Bytes of those.</summary>
    public required long Bytes { get; init; }

    /// <summary>Objects that are not at the new place, or are others: because of them nothing was changed.</summary>
    public required IReadOnlyList<SkippedObject> Problems { get; init; }

    /// <summary>Objects that no archive needs and that are not at the new place; the ledger keeps them where they were.</summary>
    public required IReadOnlyList<string> LeftBehind { get; init; }

    /// <summary>Stored objects that the ledger has at still other places.</summary>
    public required IReadOnlyDictionary<string, long> Elsewhere { get; init; }

    /// <summary>Whether the ledger was rewritten.</summary>
    public required bool Applied { get; init; }
}

/// <summary>An object that is to be found at its new place.</summary>
internal sealed record MovedObject(long Id, string OldKey, string State, long Length, byte[] Sha256)
{
    /// <summary>Null until it was found there and verified.</summary>
    public ObjectName? New { get; init; }

    /// <summary>What is wrong with it at its new place, or null.</summary>
    public string? Problem { get; init; }

    /// <summary>A run that died may never have stored it, so its absence says nothing.</summary>
    public bool MayBeAbsent => State != "stored";
}
