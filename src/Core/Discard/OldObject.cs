using Archiver.Core.Storage;

namespace Archiver.Core.Discard;

/// <summary>An object at the end of its life.</summary>
internal sealed record OldObject(long Id, ObjectName Name, long Archives, long Length, bool IsFolderKnown)
{
    /// <summary>To ask whether it is gone, and to remove it.</summary>
    public ObjectName Whole => Name with { IsFolderKnown = IsFolderKnown };

    public string Key => Name.Key;
}
