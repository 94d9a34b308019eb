using Archiver.Core.Diagnostics;
using Archiver.Core.Discard;
using Archiver.Core.Erasure;
using Archiver.Core.Settings;
using Archiver.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>A folder of archives whose disk is away: what lies in it is neither discarded nor erased, whatever else is there.</summary>
public sealed class AwayFolderTests(TestServers servers) : ErasureScenario(servers)
{
    [Fact]
    public async Task What_lies_in_a_folder_that_is_away_is_not_called_erased_or_discarded()
    {
        using var folder = new TemporaryFolder();
        using var elsewhere = new TemporaryFolder();
        await using var archiver = await ArchivedAsync("folder", folder);
        var settings = archiver.Settings with
        {
            Discard = new() { After = TimeSpan.FromDays(365), Notice = TimeSpan.FromDays(30) },
        };
        await archiver.Database.ExecuteAsync(
            "UPDATE archiver.archives SET stored_at = now() - interval '400 days'; UPDATE archiver.objects SET stored_at = now() - "
                + "interval '400 days', created_at = now() - interval '400 days', discard_announced_at = now() - interval '31 days'",
            Token
        );
        List<(string From, string To)> months =
        [
            .. Directory
                .GetDirectories(Path.Combine(folder.Path, "chat_archives"), "2*")
                .SelectMany(Directory.GetDirectories)
                .Select((m, i) => (m, Path.Combine(elsewhere.Path, $"{i}"))),
        ];
        foreach (var (from, to) in months)
            Directory.Move(from, to);

        var receipt = await archiver.EraseAsync(new EraseRequest { User = User }, Token);
        var discarded = await DiscardAsync(archiver, settings);

        Assert.False(receipt.Complete);
        Assert.Equal(2, receipt.Sessions.Count(s => s.Reasons.Any(r => r.Contains("Is its disk mounted?", StringComparison.Ordinal))));
        Assert.Equal((RunOutcome.Partial, 0L, 6), (discarded.Outcome, discarded.Discarded.Objects, discarded.Failed.Count));
        foreach (var (from, to) in months)
            Directory.Move(to, from);
        Assert.True((await archiver.EraseAsync(new EraseRequest { User = User }, Token)).Complete);
        discarded = await DiscardAsync(archiver, settings);
        Assert.Equal((RunOutcome.Done, 4L), (discarded.Outcome, discarded.Discarded.Objects));
    }

    // It was recorded and never put, and nothing else was ever put beside it.
    [Fact]
    public async Task An_object_whose_folder_was_never_made_is_erased()
    {
        using var folder = new TemporaryFolder();
        await using var archiver = await ArchivedAsync("folder", folder);
        await archiver.Database.ExecuteAsync(
            "INSERT INTO archiver.objects (location, key, attempt, source, run_id, layout, state, members, length, sha256) "
                + "SELECT location, 'chat_archives/1999/12/never.json.gz', 'x', source, run_id, layout, 'abandoned', members, length, "
                + "sha256 FROM archiver.objects WHERE members && ARRAY(SELECT session_id FROM archiver.archives WHERE "
                + $"user_id = '{User}') LIMIT 1",
            Token
        );

        Assert.True((await archiver.EraseAsync(new EraseRequest { User = User }, Token)).Complete);
    }

    private static Task<DiscardReport> DiscardAsync(ArchiverFixture archiver, ArchiverSettings settings) =>
        new Discarder(settings, archiver.Catalog, archiver.Store, TimeProvider.System, NullLogger<Discarder>.Instance).RunAsync(
            archiver.Source,
            "test",
            Token
        );
}
