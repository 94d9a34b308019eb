using System.IO.Compression;
using Archiver.Core.Documents;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Core.Spool;

namespace Archiver.Core.Verification;

/// <summary>Says of one session's copy what is wrong with it, if anything.</summary>
internal sealed class DocumentVerifier(KeyColumns keyColumns)
{
    /// <summary>Checks one that is in memory.</summary>
    public async Task<CheckedMember> VerifyAsync(ArraySegment<byte> gzip, ExpectedMember member, CancellationToken cancellationToken)
    {
        if (!MemberReader.Holds(gzip.Count, member.Copy.JsonLength))
        {
            using var stream = new MemoryStream(gzip.Array!, gzip.Offset, gzip.Count, writable: false);
            return await CheckAsync(content => ReadAsync(stream, content, cancellationToken), member, cancellationToken);
        }
        using var reader = new MemberReader();
        return await CheckAsync(
            content => new DocumentCheck(keyColumns, content).ReadAsync(reader.Decompress(gzip, member.Copy.JsonLength), cancellationToken),
            member,
            cancellationToken
        );
    }

    /// <summary>Checks one that comes at the place where the stream stands, and reads it to its end.</summary>
    public async Task<CheckedMember> VerifyAsync(Stream source, ExpectedMember member, CancellationToken cancellationToken)
    {
        await using var slice = new SliceStream(source, member.Copy.Length);
        try
        {
            return await CheckAsync(content => ReadAsync(slice, content, cancellationToken), member, cancellationToken);
        }
        finally
        {
            // What the decompressor left unread belongs to this member, and to the hash of the whole.
            await slice.CopyToAsync(Stream.Null, cancellationToken);
        }
    }

    private async Task<CheckedMember> CheckAsync(
        Func<bool, Task<CheckedDocument>> read,
        ExpectedMember expected,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var document = await read(expected.Marked is not null);
            if (!IsRight(document, expected))
                return new(DropReason.Corrupt);
            if (expected.Marked is not { } marked)
                return new(Reason: null);
            return await HasSameRowsAsync(document, expected, marked, cancellationToken)
                ? new(Reason: null, document.Content!.Columns(marked))
                : new(DropReason.Changed);
        }
        catch (Exception exception) when (DocumentDamage.Is(exception))
        {
            return new(DropReason.Corrupt);
        }
    }

    private async Task<bool> HasSameRowsAsync(
        CheckedDocument stored,
        ExpectedMember expected,
        IReadOnlyList<string> marked,
        CancellationToken cancellationToken
    )
    {
        await using var rows = expected.Session.Document.Content.OpenRead();
        var now = await ReadAsync(rows, content: true, cancellationToken);
        return stored.Content!.SameRows(now.Content!, marked);
    }

    private async Task<CheckedDocument> ReadAsync(Stream member, bool content, CancellationToken cancellationToken)
    {
        await using var gzip = new GZipStream(member, CompressionMode.Decompress, leaveOpen: true);
        return await new DocumentCheck(keyColumns, content).ReadAsync(gzip, cancellationToken);
    }

    private static bool IsRight(CheckedDocument document, ExpectedMember expected) =>
        document.Key == expected.Session.Key
        && document.Length == expected.Copy.JsonLength
        && document.Sha256.AsSpan().SequenceEqual(expected.Copy.JsonSha256)
        && expected.Session.Fingerprints.All(f => document.Rows.GetValueOrDefault(f.Key) == f.Value.Rows);
}
