using Archiver.Core.Diagnostics;
using Archiver.Core.Ownership;
using Archiver.Core.Reconciliation;
using Archiver.Testing;
using Microsoft.Extensions.Time.Testing;

namespace Archiver.Integration.Tests.Archiving;

/// <summary>
/// A verb that loses the source's lock fails with the reason. It must not say that somebody stopped it: nobody did, and a script would
/// believe it (exit code 130).
/// </summary>
public sealed class LostLockTests(TestServers servers)
{
    private const string Locks = "pg_locks AS l JOIN pg_database AS d ON d.oid = l.database AND d.datname = current_database()";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("reconcile", "archiver.objects")]
    [InlineData("move", "archiver.objects")]
    [InlineData("rebuild", "archiver.objects")]
    [InlineData("rename", "archiver.audit")]
    public async Task A_verb_says_that_the_lock_was_lost(string verb, string table)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 2, young: 1);
        Assert.Equal(2, (await archiver.RunAsync(Token)).Sessions);
        var time = new FakeTimeProvider();
        await using var other = await archiver.Database.DataSource.OpenConnectionAsync(Token);
        await using var transaction = await other.BeginTransactionAsync(Token);
        await archiver.ExecuteAsync($"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE", null, other);

        var work = Start(verb, archiver, time);
        await Eventually.TrueAsync(
            async () =>
                work.IsCompleted || await archiver.Database.ScalarAsync<bool>($"SELECT EXISTS (SELECT FROM {Locks} WHERE NOT l.granted)"),
            Token
        );
        Assert.False(work.IsCompleted);
        // The verb's own connection waits for the table; the one that has the source's lock does nothing.
        await archiver.ExecuteAsync(
            $"SELECT pg_terminate_backend(l.pid, 5000) FROM {Locks} WHERE l.locktype = 'advisory' AND NOT EXISTS "
                + "(SELECT FROM pg_locks AS w WHERE w.pid = l.pid AND NOT w.granted)",
            null
        );
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(15));
                return work.IsCompleted;
            },
            Token
        );

        var error = await Assert.ThrowsAsync<ArchiverException>(() => work);
        Assert.Equal(FailureKind.Failed, error.Kind);
        Assert.Contains("The lock on source 'main' was lost", error.Message, StringComparison.Ordinal);
    }

    private static Task Start(string verb, ArchiverFixture archiver, TimeProvider time) =>
        verb switch
        {
            "reconcile" => new Reconciler(archiver.Settings, archiver.Catalog, archiver.Store, time).RunAsync(
                "main",
                fix: false,
                "test",
                Token
            ),
            "move" => new LedgerMover(archiver.Settings, archiver.Catalog, archiver.Store, time).MoveAsync(
                "main",
                new(From: null, FromPrefix: null, Apply: false),
                "test",
                progress: null,
                Token
            ),
            "rebuild" => new LedgerRebuilder(archiver.Settings, archiver.Catalog, archiver.Store, time).RebuildAsync(
                "main",
                otherSystems: false,
                "test",
                progress: null,
                Token
            ),
            _ => new SourceRename(archiver.Settings, archiver.Catalog, archiver.Store, time).ExecuteAsync(
                "main",
                archiver.Source,
                "test",
                Token
            ),
        };
}
