namespace Archiver.Core.Upload;

/// <summary>An object on its way that the ledger knows of.</summary>
/// <param name="Id">Its row in <c>archiver.objects</c>, state <c>pending</c>.</param>
/// <param name="Key">The key that the row names.</param>
/// <param name="Upload">What is to be put there.</param>
internal sealed record RecordedUpload(long Id, string Key, PlannedUpload Upload);
