namespace Archiver.Core.Lifecycle;

/// <summary>An object at the end of its life.</summary>
internal sealed record OldObject(long Id, string Key, long Archives, long Length);
