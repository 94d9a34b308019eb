using Archiver.Core.Diagnostics;
using Archiver.Core.Documents;
using Archiver.Core.Proofs;
using Archiver.Core.Reconciliation;
using Archiver.Core.Settings;
using Archiver.Core.Storage;
using Archiver.Testing;
using Archiver.Testing.Proof;
using Microsoft.Extensions.Logging.Abstractions;

namespace Archiver.Integration.Tests.Restore;

public sealed class VerifyTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(StorageLayout.Session)]
    [InlineData(StorageLayout.Bundle)]
    public async Task Finds_every_archive_right_and_a_drill_restores_some_of_them_unseen(StorageLayout layout)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 30, young: 2, configure: s =>
            s with
            {
                Storage = s.Storage with { Layout = layout },
            }
        );
        await archiver.RunAsync(Token);
        var rows = await archiver.Database.CopyTablesAsync(archiver);

        var all = await VerifyAsync(archiver, new("main", Sample: null, RestoreDrill: 10));
        var some = await VerifyAsync(archiver, new("main", Sample: 7));

        Assert.Empty(all.Problems);
        Assert.Equal((30L, 30L, 10L, 0), (all.Checked, all.Right, all.Drilled, all.ExitCode));
        Assert.Equal((7L, 7L), (some.Checked, some.Right));
        Assert.Equal(rows, await archiver.Database.CopyTablesAsync(archiver));
        Assert.Equal(30, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'archived'"));
    }

    [Fact]
    public async Task Reports_what_is_missing_changed_and_unreadable_by_key()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 5, young: 0);
        await archiver.RunAsync(Token);
        var keys = (await archiver.Database.CopyOutAsync("SELECT key FROM archiver.objects ORDER BY length DESC")).TrimEnd().Split('\n');
        await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, keys[0], Token);
        await archiver.Bucket.PutRawAsync(keys[1], await archiver.Bucket.GetRawAsync(keys[4]), Token);
        await archiver.Bucket.PutRawAsync(keys[2], [1, 2, 3], Token);

        var report = await VerifyAsync(archiver, new("main", Sample: null));

        Assert.Equal((5L, 2L, 1), (report.Checked, report.Right, report.ExitCode));
        Assert.Equal(
            new (string, ReadProblem)[]
            {
                (keys[0], ReadProblem.Missing),
                (keys[1], ReadProblem.Changed),
                (keys[2], ReadProblem.Unreadable),
            }.OrderBy(p => p.Item1, StringComparer.Ordinal),
            report.Problems.Select(p => (p.ObjectKey, p.Problem)).OrderBy(p => p.ObjectKey, StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task What_lies_in_a_cold_storage_class_needs_thawing_and_is_not_called_damaged()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0);
        await archiver.RunAsync(Token);
        var key = await archiver.Database.ScalarAsync<string>("SELECT min(key) FROM archiver.objects");
        var store = new FrozenObject(archiver.Store, key!);

        var report = await new ArchiveVerifier(archiver.Settings, archiver.Catalog, store, TimeProvider.System).VerifyAsync(
            new("main", Sample: null),
            null,
            Token
        );
        var restored = await archiver.RestoreAsync(RestoreFixture.Everything, Token, store);

        Assert.Equal((key, ReadProblem.NeedsThawing), Assert.Single(report.Problems.Select(p => (p.ObjectKey, p.Problem))));
        Assert.Equal(
            (2L, key, "its object is in a cold storage class and must be thawed first"),
            (restored.Restored, Assert.Single(restored.Refused).ObjectKey, restored.Refused[0].Reason)
        );
    }

    [Fact]
    public async Task Verify_names_an_object_that_the_store_refuses_and_reads_the_others()
    {
        var refused = "";
        await using var proxy = RefusingProxy(() => refused);
        await using var archiver = await ArchivedAsync(proxy);
        refused = (await archiver.Database.ScalarAsync<string>("SELECT min(key) FROM archiver.objects"))!;

        var report = await VerifyAsync(archiver, new("main", Sample: null));
        var restored = await archiver.RestoreAsync(RestoreFixture.Everything, Token);

        Assert.Equal((3L, 2L, 1), (report.Checked, report.Right, report.ExitCode));
        Assert.Equal((refused, ReadProblem.Denied), Assert.Single(report.Problems.Select(p => (p.ObjectKey, p.Problem))));
        Assert.Equal("denied", await archiver.Database.ScalarAsync<string>("SELECT problem FROM archiver.damages"));
        Assert.Equal((RunOutcome.Partial, 2L, refused), (restored.Outcome, restored.Restored, Assert.Single(restored.Refused).ObjectKey));
        Assert.Contains("the store refuses its object and gives others", restored.Refused[0].Reason, StringComparison.Ordinal);

        refused = "chat_archives/";
        await Assert.ThrowsAsync<StorageException>(() => VerifyAsync(archiver, new("main", Sample: null)));
        refused = "";
        Assert.Empty((await VerifyAsync(archiver, new("main", Sample: null))).Problems);
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.damages"));
    }

    [Fact]
    public async Task A_scheduled_proof_goes_on_behind_an_object_that_the_store_refuses()
    {
        var refused = "";
        await using var proxy = RefusingProxy(() => refused);
        await using var archiver = await ArchivedAsync(proxy);
        refused = (
            await archiver.Database.ScalarAsync<string>(
                "SELECT o.key FROM archiver.objects AS o JOIN archiver.archives AS a ON a.object_id = o.id ORDER BY a.id LIMIT 1"
            )
        )!;
        var settings = archiver.Settings with { Schedule = archiver.Settings.Schedule with { VerifySample = SampleSize.Of(1) } };
        var work = new ProofWork(
            settings,
            new ArchiveVerifier(settings, archiver.Catalog, archiver.Store, TimeProvider.System),
            new Reconciler(settings, archiver.Catalog, archiver.Store, TimeProvider.System),
            TimeProvider.System,
            NullLogger<ProofRunner>.Instance
        );

        await new ProofRunner(archiver.Catalog, work, NullLogger<ProofRunner>.Instance).RunAsync(
            archiver.Source,
            Core.Proofs.Proof.Verify,
            "test",
            Token
        );

        Assert.Equal(
            "done 1 t",
            await archiver.Database.ScalarAsync<string>(
                "SELECT concat_ws(' ', state, found ->> 'denied', position = (SELECT min(id) FROM archiver.archives)) FROM archiver.proofs"
            )
        );
    }

    /// <summary>Refuses every GET of what has this in its path, unless it is empty.</summary>
    private FaultProxy RefusingProxy(Func<string> refused) =>
        new(servers.S3.Endpoint, (method, path) =>
            method == "GET" && refused() is { Length: > 0 } part && path.Contains(part, StringComparison.Ordinal)
                ? StoreFault.AccessDenied
                : StoreFault.None
        );

    private async Task<ArchiverFixture> ArchivedAsync(FaultProxy proxy)
    {
        var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0, configure: s =>
            s with
            {
                Storage = s.Storage with { Endpoint = proxy.Endpoint },
            }
        );
        await archiver.RunAsync(Token);
        return archiver;
    }

    private static Task<VerifyReport> VerifyAsync(ArchiverFixture archiver, VerifyOptions options) =>
        new ArchiveVerifier(archiver.Settings, archiver.Catalog, archiver.Store, TimeProvider.System).VerifyAsync(options, null, Token);

    /// <summary>A real store, one of whose objects has been moved to a class that no test server has.</summary>
    private sealed class FrozenObject(IArchiveReader inner, string key) : IArchiveReader
    {
        public string Location => inner.Location;

        public Task<Stream?> OpenAsync(ObjectName name, CancellationToken cancellationToken) =>
            name.Key == key ? throw Frozen() : inner.OpenAsync(name, cancellationToken);

        public Task<Stream?> OpenRangeAsync(ObjectName name, long offset, long length, CancellationToken cancellationToken) =>
            name.Key == key ? throw Frozen() : inner.OpenRangeAsync(name, offset, length, cancellationToken);

        public Task<ObjectHead?> HeadAsync(ObjectName name, CancellationToken cancellationToken) =>
            inner.HeadAsync(name, cancellationToken);

        public IAsyncEnumerable<ListedObject> ListAsync(string prefix, CancellationToken cancellationToken) =>
            inner.ListAsync(prefix, cancellationToken);

        public IAsyncEnumerable<ListedVersions> ListVersionsAsync(string prefix, CancellationToken cancellationToken) =>
            inner.ListVersionsAsync(prefix, cancellationToken);

        private static StorageException Frozen() => new(StorageFailure.NeedsThawing, "frozen");
    }
}
