using Archiver.Core.Diagnostics;

namespace Archiver.Core.Upload;

/// <summary>An object that the store says it has, or that it refused; nothing is proven yet.</summary>
/// <param name="Id">Its row in <c>archiver.objects</c>, state <c>pending</c>.</param>
/// <param name="Key">Where it is.</param>
/// <param name="VersionId">The version that reads must name, where the bucket keeps versions.</param>
/// <param name="Planned">What should be in it.</param>
/// <param name="Refusal">Why the store did not take it; null for one that it has.</param>
internal sealed record UploadedObject(
    long Id,
    string Key,
    string? VersionId,
    PlannedObject Planned,
    ObjectRefusedException? Refusal = null
);
