using Archiver.Core.Bucket;
using Archiver.Core.Diagnostics;
using Archiver.Core.Query;
using Archiver.Core.Reading;
using Archiver.Core.Storage;
using Archiver.Core.Verification;

namespace Archiver.Core.Tests.Storage;

/// <summary>Whoever reads an object leaves trying again to the store: above it a body that breaks off is the end.</summary>
public sealed class SingleReadingTests
{
    private static readonly ObjectName Name = new("chat_archives/2026/01/s.json.gz");

    private static readonly LocatedArchive Archive = new(1, "main", "s", 1, "archived", Name, 0, 100, 200, new byte[32]);

    private readonly FailingStore _store;
    private int _opened;

    public SingleReadingTests() =>
        _store = new()
        {
            Body = offset =>
            {
                _opened++;
                return BreakingBody.Of(new byte[100], offset, piece: 30);
            },
        };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public Task A_run_reads_an_object_back_once() =>
        RequireOnceAsync(() => new ObjectVerifier(_store, "session_id").VerifyAsync(new(Name, 100, new byte[32], []), Token));

    [Fact]
    public Task A_restore_fetches_a_document_once() =>
        RequireOnceAsync(() =>
            new SessionDownloads(
                _store,
                (_, _, _) => Task.CompletedTask,
                (_, problem, detail) => Assert.Fail($"{problem}: {detail}"),
                concurrency: 1
            ).RunAsync(new IReadOnlyList<RestoreCandidate>[] { [RestoreCandidate.Of(Archive)] }.ToAsyncEnumerable(), Token)
        );

    [Fact]
    public Task A_query_fetches_a_document_once() =>
        RequireOnceAsync(() =>
            new DocumentFetcher(_store, (_, _, _) => Task.CompletedTask, concurrency: 1).RunAsync(
                new IReadOnlyList<QueriedArchive>[] { [new(Archive) { Policy = "idle", Messages = 1 }] }.ToAsyncEnumerable(),
                TombstoneSet.Empty,
                _ => { },
                Token
            )
        );

    private async Task RequireOnceAsync(Func<Task> read)
    {
        var error = await Assert.ThrowsAsync<StorageException>(read);

        Assert.Equal((BreakingBody.Message, 1), (error.Message, _opened));
    }
}
