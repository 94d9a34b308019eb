using Archiver.Core.Storage;

namespace Archiver.Core.Discard;

/// <summary>An object at the end of its life.</summary>
internal sealed record OldObject(long Id, ObjectName Name, long Archives, long Length)
{
    public string Key => Name.Key;
}
