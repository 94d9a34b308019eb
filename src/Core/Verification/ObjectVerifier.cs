using System.IO.Compression;
using System.Text.Json;
using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Storage;
using Archiver.Core.Upload;

namespace Archiver.Core.Verification;

/// <summary>Reads an object back from the store, every byte, and says for each session in it what is wrong with its copy, if anything.</summary>
internal sealed class ObjectVerifier(IArchiveReader store, string keyColumn)
{
    /// <summary>Times a body that breaks off on the way is fetched again before the failure counts as the store's.</summary>
    private const int Attempts = 3;

    /// <summary>By member: null when its copy is right, else one of <see cref="DropReason"/>.</summary>
    /// <exception cref="StorageException">The store does not answer or refuses; that says nothing about the object.</exception>
    public async Task<IReadOnlyList<string?>> VerifyAsync(UploadedObject uploaded, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await ReadBackAsync(uploaded, cancellationToken).ConfigureAwait(false);
            }
            catch (StorageException exception) when (exception.Failure == StorageFailure.Transient && attempt < Attempts)
            {
                // The body broke off; opening it again has its own retries and back-off.
            }
        }
    }

    private async Task<IReadOnlyList<string?>> ReadBackAsync(UploadedObject uploaded, CancellationToken cancellationToken)
    {
        var members = uploaded.Planned.Members;
        var body = await store.OpenAsync(new(uploaded.Key, uploaded.VersionId), cancellationToken).ConfigureAwait(false);
        if (body is null)
            return AllMembers(members, DropReason.Missing);
        await using (body.ConfigureAwait(false))
        await using (var hashing = new HashingStream(body))
        {
            var reasons = new string?[members.Count];
            for (var i = 0; i < members.Count; i++)
                reasons[i] = await VerifyMemberAsync(hashing, members[i], cancellationToken).ConfigureAwait(false);
            await hashing.CopyToAsync(Stream.Null, cancellationToken).ConfigureAwait(false);
            var whole = hashing.BytesRead == uploaded.Planned.Content.Length
                && hashing.GetHash().AsSpan().SequenceEqual(uploaded.Planned.Content.Sha256.Span);
            return whole ? reasons : AllMembers(members, DropReason.Corrupt);
        }
    }

    private static string[] AllMembers(IReadOnlyList<ObjectMember> members, string reason) => [.. members.Select(_ => reason)];

    private async Task<string?> VerifyMemberAsync(Stream source, ObjectMember member, CancellationToken cancellationToken)
    {
        await using var slice = new SliceStream(source, member.Length);
        try
        {
            await using var gzip = new GZipStream(slice, CompressionMode.Decompress, leaveOpen: true);
            var document = await new DocumentCheck(keyColumn).ReadAsync(gzip, cancellationToken).ConfigureAwait(false);
            return IsRight(document, member.Session) ? null : DropReason.Corrupt;
        }
        catch (Exception exception) when (exception is InvalidDataException or JsonException)
        {
            return DropReason.Corrupt;
        }
        finally
        {
            // What the decompressor left unread belongs to this member, and to the hash of the whole.
            await slice.CopyToAsync(Stream.Null, cancellationToken).ConfigureAwait(false);
        }
    }

    private static bool IsRight(CheckedDocument document, ExportedSession session) =>
        document.Format == DocumentFrame.Format
        && document.Key == session.Key
        && document.Length == session.Document.JsonLength
        && document.Sha256.AsSpan().SequenceEqual(session.Document.JsonSha256)
        && session.Fingerprints.All(f => document.Rows.GetValueOrDefault(f.Key) == f.Value.Rows);
}
