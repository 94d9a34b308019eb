using Archiver.Core.Diagnostics;
using Archiver.Core.Documents;
using Archiver.Core.Proofs;
using Archiver.Core.Reconciliation;
using Archiver.Core.Settings;
using Archiver.Testing;
using Archiver.Testing.Proof;
using Microsoft.Extensions.Logging.Abstractions;

namespace Archiver.Integration.Tests.Restore;

/// <summary>One object that the store can never give is named, and the others are read; a store that gives none ends the verb.</summary>
public sealed class FailingObjectTests(TestServers servers) : FailingObjectScenario(servers)
{
    [Theory]
    [InlineData(StoreFault.InternalError)]
    [InlineData(StoreFault.ResetInBody)]
    public async Task Verify_and_a_restore_name_it_and_read_the_others(StoreFault fault)
    {
        Fault = fault;
        var failing = Failing = await FirstKeyAsync();

        var report = await VerifyAsync();
        var restored = await Archiver.RestoreAsync(RestoreFixture.Everything, Token);

        Assert.Equal((3L, 2L, 1), (report.Checked, report.Right, report.ExitCode));
        var problem = Assert.Single(report.Problems);
        Assert.Equal((failing, ReadProblem.Failing), (problem.ObjectKey, problem.Problem));
        Assert.StartsWith(Fails, problem.Detail, StringComparison.Ordinal);
        Assert.Equal("failing", await Archiver.Database.ScalarAsync<string>("SELECT problem FROM archiver.damages"));
        Assert.Equal((RunOutcome.Partial, 2L, failing), (restored.Outcome, restored.Restored, Assert.Single(restored.Refused).ObjectKey));

        Failing = "";
        Assert.Empty((await VerifyAsync()).Problems);
        Assert.Equal(0, await Archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.damages"));
    }

    [Theory]
    [InlineData(StoreFault.InternalError)]
    [InlineData(StoreFault.ResetInBody)]
    public async Task A_store_that_gives_nothing_ends_verify_restore_and_reconcile(StoreFault fault)
    {
        await ForgottenAsync();
        (Fault, Failing) = (fault, "chat_archives/");

        await Assert.ThrowsAsync<StorageException>(VerifyAsync);
        Assert.Equal(RunOutcome.Failed, (await Archiver.RestoreAsync(RestoreFixture.Everything, Token)).Outcome);
        await Assert.ThrowsAsync<StorageException>(() => ForgottenArchives.ReconcileAsync(Archiver, fix: true));

        Assert.Equal(0, await Archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.damages"));
    }

    [Theory]
    [InlineData("verify")]
    [InlineData("restore_drill")]
    public async Task A_scheduled_proof_goes_on_behind_it(string proof)
    {
        Failing = await FirstKeyAsync();

        await ProveAsync(ProofNames.Parse(proof));

        Assert.Equal(
            "done 1 t",
            await Archiver.Database.ScalarAsync<string>(
                "SELECT concat_ws(' ', state, found ->> 'failing', position = (SELECT min(id) FROM archiver.archives)) FROM archiver.proofs"
            )
        );
    }

    [Fact]
    public async Task A_scheduled_reconcile_comes_to_its_end()
    {
        Failing = await ForgottenAsync();

        await ProveAsync(Core.Proofs.Proof.Reconcile);

        Assert.Equal(
            "done 1 0",
            await Archiver.Database.ScalarAsync<string>(
                "SELECT concat_ws(' ', state, found ->> 'unreadable', found ->> 'unrecorded') FROM archiver.proofs"
            )
        );
    }

    private Task ProveAsync(Core.Proofs.Proof proof)
    {
        var sample = SampleSize.Of(1);
        var settings = Archiver.Settings with
        {
            Schedule = Archiver.Settings.Schedule with { VerifySample = sample, RestoreDrillSample = sample },
        };
        var work = new ProofWork(
            settings,
            new ArchiveVerifier(settings, Archiver.Catalog, Archiver.Store, TimeProvider.System),
            new Reconciler(settings, Archiver.Catalog, Archiver.Store, TimeProvider.System),
            TimeProvider.System,
            NullLogger<ProofRunner>.Instance
        );
        return new ProofRunner(Archiver.Catalog, work, NullLogger<ProofRunner>.Instance).RunAsync(Archiver.Source, proof, "test", Token);
    }

    private Task<VerifyReport> VerifyAsync() =>
        new ArchiveVerifier(Archiver.Settings, Archiver.Catalog, Archiver.Store, TimeProvider.System).VerifyAsync(
            new("main", Sample: null),
            null,
            Token
        );
}
