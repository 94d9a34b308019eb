using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Selection;
using Archiver.Core.Storage;
using Archiver.Core.Upload;

namespace Archiver.Core.Verification;

/// <summary>An object as it must be in the store.</summary>
/// <param name="Name">Its key and version.</param>
/// <param name="Length">Bytes of the whole.</param>
/// <param name="Sha256">SHA-256 of the whole.</param>
/// <param name="Members">The sessions in it that matter, in the order of the bytes; there may be others between them.</param>
internal sealed record ExpectedObject(ObjectName Name, long Length, ReadOnlyMemory<byte> Sha256, IReadOnlyList<ExpectedMember> Members)
{
    /// <summary>Why the store did not take it, one of <see cref="DropReason"/>; null for one that it says it has.</summary>
    public string? Refusal { get; init; }

    /// <summary>What was just uploaded.</summary>
    public static ExpectedObject Of(UploadedObject uploaded)
    {
        var name = new ObjectName(uploaded.Key, uploaded.VersionId);
        return new(
            name,
            uploaded.Planned.Content.Length,
            uploaded.Planned.Content.Sha256,
            [
                .. uploaded.Planned.Members.Select(m => new ExpectedMember(
                    new(uploaded.Id, name, m.Offset, m.Length, m.Session.Document.JsonLength, m.Session.Document.JsonSha256),
                    m.Session,
                    Marked: null
                )),
            ]
        )
        {
            Refusal = uploaded.Refusal is { } refusal ? DropReason.OfUpload(refusal) : null,
        };
    }

    /// <summary>What an earlier run uploaded, by the ledger; each with its session's export of now.</summary>
    public static IEnumerable<ExpectedObject> Of(IEnumerable<(DueArchive Archive, ExportedSession Session)> due) =>
        due.GroupBy(d => d.Archive.ObjectId)
            .Select(o =>
            {
                var first = o.First().Archive;
                return new ExpectedObject(
                    first.Object,
                    first.ObjectLength,
                    first.ObjectSha256,
                    [
                        .. o.OrderBy(d => d.Archive.Offset)
                            .Select(d => new ExpectedMember(
                                new(
                                    d.Archive.ObjectId,
                                    d.Archive.Object,
                                    d.Archive.Offset,
                                    d.Archive.Length,
                                    d.Archive.JsonLength,
                                    d.Archive.JsonSha256
                                ),
                                d.Session,
                                d.Archive.Marked
                            )),
                    ]
                );
            });
}

/// <summary>One session of an object.</summary>
/// <param name="Copy">Where it lies and what its bytes must be.</param>
/// <param name="Session">The exported session: the rows that must be in it.</param>
/// <param name="Marked">
/// Null where the object was made of this very export. Else the export is a later one, whose rows must be those of the copy to the byte,
/// but for these columns of the session row.
/// </param>
internal sealed record ExpectedMember(StoredCopy Copy, ExportedSession Session, IReadOnlyList<string>? Marked);
