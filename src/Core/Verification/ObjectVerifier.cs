using System.Buffers;
using System.IO.Compression;
using System.Text.Json;
using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Storage;
using Archiver.Core.Upload;

namespace Archiver.Core.Verification;

/// <summary>Reads an object back from the store, every byte, and says for each session in it what is wrong with its copy, if anything.</summary>
internal sealed class ObjectVerifier(IArchiveReader store, string keyColumn)
{
    /// <summary>Times a body that breaks off on the way is fetched again before the failure counts as the store's.</summary>
    private const int Attempts = 3;

    /// <summary>Bytes of gzip up to which a member is held in memory to be checked beside the reading.</summary>
    private const int Small = 256 * 1024;

    private static readonly int CheckedAtOnce = Environment.ProcessorCount + 1;

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
            var reasons = await VerifyMembersAsync(hashing, members, cancellationToken).ConfigureAwait(false);
            await hashing.CopyToAsync(Stream.Null, cancellationToken).ConfigureAwait(false);
            var whole = hashing.BytesRead == uploaded.Planned.Content.Length
                && hashing.GetHash().AsSpan().SequenceEqual(uploaded.Planned.Content.Sha256.Span);
            return whole ? reasons : AllMembers(members, DropReason.Corrupt);
        }
    }

    private static string[] AllMembers(IReadOnlyList<ObjectMember> members, string reason) => [.. members.Select(_ => reason)];

    /// <summary>One member after the other is read; small ones are checked beside that, on as many cores as there are.</summary>
    private async Task<string?[]> VerifyMembersAsync(Stream source, IReadOnlyList<ObjectMember> members, CancellationToken cancellationToken)
    {
        // Wrong until a check has said otherwise.
        var reasons = new string?[members.Count];
        Array.Fill(reasons, DropReason.Corrupt);
        using var room = new SemaphoreSlim(CheckedAtOnce);
        List<Task> checks = [];
        try
        {
            for (var i = 0; i < members.Count; i++)
            {
                var (position, member) = (i, members[i]);
                if (members.Count == 1 || member.Length > Small)
                {
                    reasons[i] = await VerifyLargeAsync(source, member, cancellationToken).ConfigureAwait(false);
                    continue;
                }
                await room.WaitAsync(cancellationToken).ConfigureAwait(false);
                var bytes = ArrayPool<byte>.Shared.Rent((int)member.Length);
                try
                {
                    // Short of bytes only at the end of a short object, which the hash of the whole tells.
                    var read = await source.ReadAtLeastAsync(bytes.AsMemory(0, (int)member.Length), (int)member.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
                    checks.Add(Task.Run(async () => reasons[position] = await VerifySmallAsync(bytes, read, member, room, cancellationToken).ConfigureAwait(false), CancellationToken.None));
                }
                catch
                {
                    LargeBuffer.Return(bytes);
                    throw;
                }
            }
        }
        finally
        {
            // Also when the body broke off: the checks hold buffers of the pool.
            await Task.WhenAll(checks).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        await Task.WhenAll(checks).ConfigureAwait(false);
        return reasons;
    }

    private async Task<string?> VerifySmallAsync(byte[] bytes, int length, ObjectMember member, SemaphoreSlim room, CancellationToken cancellationToken)
    {
        try
        {
            using var gzip = new MemoryStream(bytes, 0, length, writable: false);
            return await CheckAsync(gzip, member, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            LargeBuffer.Return(bytes);
            room.Release();
        }
    }

    private async Task<string?> VerifyLargeAsync(Stream source, ObjectMember member, CancellationToken cancellationToken)
    {
        await using var slice = new SliceStream(source, member.Length);
        try
        {
            return await CheckAsync(slice, member, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // What the decompressor left unread belongs to this member, and to the hash of the whole.
            await slice.CopyToAsync(Stream.Null, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<string?> CheckAsync(Stream member, ObjectMember expected, CancellationToken cancellationToken)
    {
        try
        {
            await using var gzip = new GZipStream(member, CompressionMode.Decompress, leaveOpen: true);
            var document = await new DocumentCheck(keyColumn).ReadAsync(gzip, cancellationToken).ConfigureAwait(false);
            return IsRight(document, expected.Session) ? null : DropReason.Corrupt;
        }
        catch (Exception exception) when (exception is InvalidDataException or JsonException)
        {
            return DropReason.Corrupt;
        }
    }

    private static bool IsRight(CheckedDocument document, ExportedSession session) =>
        document.Format == DocumentFrame.Format
        && document.Key == session.Key
        && document.Length == session.Document.JsonLength
        && document.Sha256.AsSpan().SequenceEqual(session.Document.JsonSha256)
        && session.Fingerprints.All(f => document.Rows.GetValueOrDefault(f.Key) == f.Value.Rows);
}
