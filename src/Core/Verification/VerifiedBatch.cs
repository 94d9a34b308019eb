using System.Collections.Concurrent;
using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Upload;

namespace Archiver.Core.Verification;

/// <summary>
/// Sessions whose stored copy was read back and found right, byte for byte. The only way to get one is <see cref="VerifyAsync"/>, and the
/// deletion takes nothing else: skipping verification does not compile.
/// </summary>
internal sealed class VerifiedBatch
{
    private VerifiedBatch(ExportedBatch export, IReadOnlyList<VerifiedSession> sessions, IReadOnlyList<RejectedSession> rejected)
    {
        Export = export;
        Sessions = sessions;
        Rejected = rejected;
    }

    public ExportedBatch Export { get; }

    public IReadOnlyList<VerifiedSession> Sessions { get; }

    /// <summary>Sessions whose copy is missing or wrong.</summary>
    public IReadOnlyList<RejectedSession> Rejected { get; }

    /// <summary>Reads every object of the batch back and keeps the sessions whose copies are right.</summary>
    public static async Task<VerifiedBatch> VerifyAsync(UploadedBatch batch, ObjectVerifier verifier, int concurrency, CancellationToken cancellationToken)
    {
        var reasons = new ConcurrentDictionary<long, IReadOnlyList<string?>>();
        var options = new ParallelOptions { MaxDegreeOfParallelism = concurrency, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(batch.Objects, options, async (uploaded, token) =>
            reasons[uploaded.Id] = await verifier.VerifyAsync(uploaded, token).ConfigureAwait(false)).ConfigureAwait(false);

        List<VerifiedSession> right = [];
        List<RejectedSession> wrong = [];
        foreach (var uploaded in batch.Objects)
        {
            foreach (var (member, reason) in uploaded.Planned.Members.Zip(reasons[uploaded.Id]))
            {
                if (reason is null)
                    right.Add(new(uploaded, member));
                else
                    wrong.Add(new(uploaded, member, reason));
            }
        }
        return new(batch.Export, right, wrong);
    }

    /// <summary>Two halves, for a delete that did not finish within its timeout; what was rejected goes with the first.</summary>
    /// <exception cref="InvalidOperationException">The batch is a single session.</exception>
    public (VerifiedBatch First, VerifiedBatch Second) Halve() => Sessions.Count < 2
        ? throw new InvalidOperationException("A batch of one session cannot be halved.")
        : (new(Export, [.. Sessions.Take(Sessions.Count / 2)], Rejected), new(Export, [.. Sessions.Skip(Sessions.Count / 2)], []));
}

/// <summary>A session with the object that is proven to hold it.</summary>
internal sealed record VerifiedSession(UploadedObject Object, ObjectMember Member)
{
    public ExportedSession Session => Member.Session;

    public string Key => Member.Session.Key;
}

/// <summary>A session whose copy is not right.</summary>
/// <param name="Object">Where the copy should be.</param>
/// <param name="Member">The session.</param>
/// <param name="Reason">One of <see cref="DropReason"/>.</param>
internal sealed record RejectedSession(UploadedObject Object, ObjectMember Member, string Reason);
