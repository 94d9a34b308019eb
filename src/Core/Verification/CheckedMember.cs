using Archiver.Core.Ledger;

namespace Archiver.Core.Verification;

/// <summary>What reading back has shown of one session's copy.</summary>
/// <param name="Reason">Null when the copy is right, else one of <see cref="DropReason"/>.</param>
/// <param name="Unmarked">As <see cref="VerifiedSession.Unmarked"/>.</param>
internal readonly record struct CheckedMember(string? Reason, string? Unmarked = null);
