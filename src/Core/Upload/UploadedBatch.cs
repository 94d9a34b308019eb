using Archiver.Core.Export;

namespace Archiver.Core.Upload;

/// <summary>A batch whose objects are recorded as pending and were accepted by the store.</summary>
internal sealed class UploadedBatch
{
    private UploadedBatch(ExportedBatch export, IReadOnlyList<UploadedObject> objects)
    {
        Export = export;
        Objects = objects;
    }

    public ExportedBatch Export { get; }

    public IReadOnlyList<UploadedObject> Objects { get; }

    /// <summary>Every exported session must be in exactly one object.</summary>
    /// <exception cref="InvalidOperationException">One is missing or twice.</exception>
    public static UploadedBatch From(ExportedBatch export, IReadOnlyList<UploadedObject> objects)
    {
        var members = objects.SelectMany(o => o.Planned.Members).Select(m => m.Session.Key).ToHashSet(StringComparer.Ordinal);
        return members.SetEquals(export.Sessions.Select(s => s.Key)) && objects.Sum(o => o.Planned.Members.Count) == export.Sessions.Count
            ? new(export, objects)
            : throw new InvalidOperationException("The uploaded objects do not hold each exported session once.");
    }
}
