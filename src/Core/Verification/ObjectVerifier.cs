using System.Buffers;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Spool;
using Archiver.Core.Storage;

namespace Archiver.Core.Verification;

/// <summary>
/// Reads an object back from the store, every byte, and says for each session in it what is wrong with its copy, if anything.
/// </summary>
/// <param name="store">Where the objects are.</param>
/// <param name="keyColumns">The columns of the session's key in the document.</param>
/// <param name="read">Told the number of sessions of each object that was read to its end.</param>
internal sealed class ObjectVerifier(IArchiveReader store, KeyColumns keyColumns, Action<int>? read = null)
{
    /// <summary>Bytes of gzip up to which a member is held in memory to be checked beside the reading.</summary>
    private const int Small = 256 * 1024;

    private static readonly int CheckedAtOnce = Environment.ProcessorCount + 1;

    private readonly DocumentVerifier _documents = new(keyColumns);

    /// <summary>By member.</summary>
    /// <exception cref="StorageException">The store does not answer or refuses; that says nothing about the object.</exception>
    public async Task<IReadOnlyList<CheckedMember>> VerifyAsync(ExpectedObject expected, CancellationToken cancellationToken)
    {
        if (expected.Refusal is { } refusal)
            return AllMembers(expected.Members, refusal);
        var found = await ReadBackAsync(expected, cancellationToken);
        read?.Invoke(found.Count);
        return found;
    }

    private async Task<IReadOnlyList<CheckedMember>> ReadBackAsync(ExpectedObject expected, CancellationToken cancellationToken)
    {
        var members = expected.Members;
        var body = await store.OpenAsync(expected.Name, cancellationToken);
        if (body is null)
            return AllMembers(members, DropReason.Missing);
        await using (body)
        await using (var hashing = new HashingStream(body))
        {
            var found = await VerifyMembersAsync(hashing, members, cancellationToken);
            await hashing.CopyToAsync(Stream.Null, cancellationToken);
            var whole = hashing.Was(expected.Length, expected.Sha256.Span);
            return whole ? found : AllMembers(members, DropReason.Corrupt);
        }
    }

    private static CheckedMember[] AllMembers(IReadOnlyList<ExpectedMember> members, string reason) =>
        [.. members.Select(_ => new CheckedMember(reason))];

    /// <summary>One member after the other is read; small ones are checked beside that, on as many cores as there are.</summary>
    private async Task<CheckedMember[]> VerifyMembersAsync(
        Stream source,
        IReadOnlyList<ExpectedMember> members,
        CancellationToken cancellationToken
    )
    {
        // Wrong until a check has said otherwise.
        var found = new CheckedMember[members.Count];
        Array.Fill(found, new(DropReason.Corrupt));
        using var room = new SemaphoreSlim(CheckedAtOnce);
        List<Task> checks = [];
        var at = 0L;
        try
        {
            for (var i = 0; i < members.Count; i++)
            {
                var (position, member) = (i, members[i]);
                await SkipAsync(source, member.Copy.Offset - at, cancellationToken);
                at = member.Copy.Offset + member.Copy.Length;
                if (members.Count == 1 || member.Copy.Length > Small)
                {
                    found[i] = await _documents.VerifyAsync(source, member, cancellationToken);
                    continue;
                }
                await room.WaitAsync(cancellationToken);
                var bytes = ArrayPool<byte>.Shared.Rent((int)member.Copy.Length);
                try
                {
                    // Short of bytes only at the end of a short object, which the hash of the whole tells.
                    var read = await source.ReadAtLeastAsync(
                        bytes.AsMemory(0, (int)member.Copy.Length),
                        (int)member.Copy.Length,
                        throwOnEndOfStream: false,
                        cancellationToken
                    );
                    checks.Add(Task.Run(() => CheckAsync(position, new(bytes, 0, read)), CancellationToken.None));
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
        await Task.WhenAll(checks);
        return found;

        async Task CheckAsync(int position, ArraySegment<byte> gzip)
        {
            try
            {
                found[position] = await _documents.VerifyAsync(gzip, members[position], cancellationToken);
            }
            finally
            {
                LargeBuffer.Return(gzip.Array!);
                room.Release();
            }
        }
    }

    /// <summary>Members of sessions that are not asked about count for the hash of the whole only.</summary>
    private static async Task SkipAsync(Stream source, long bytes, CancellationToken cancellationToken)
    {
        if (bytes <= 0)
            return;
        await using var between = new SliceStream(source, bytes);
        await between.CopyToAsync(Stream.Null, cancellationToken);
    }
}
