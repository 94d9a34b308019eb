using Archiver.Core.Diagnostics;
using Archiver.Core.Erasure;
using Archiver.Core.Holds;
using Archiver.Core.Settings;
using Archiver.Integration.Tests.Lifecycle;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Proof;

/// <summary>Legal holds in the model: what one covers is left alone by every way that destroys, until it is lifted.</summary>
internal sealed class ModelHolds(ArchiverFixture archiver, ChatModel model, Random random)
{
    private const int MostHolds = 2;

    /// <summary>Between the days since their last use that sessions of the model have.</summary>
    private const int RangeDays = 110;

    private readonly HashSet<string> _happened = [];
    private readonly List<Func<ModelSession, (string Kind, HoldRequest Request, Func<ModelSession, bool> Covers)>> _kinds = [];
    private readonly List<Func<ModelSession, Task>> _ways = [];

    /// <summary>Whether a hold of each kind was set, and each way that destroys was tried while something was held.</summary>
    public bool EachHappened => _happened.Count == 6;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Holds something, by key, user or range, each once before one comes again; or lifts a hold.</summary>
    public async Task HoldOrLiftAsync()
    {
        if (model.Holds.Count == MostHolds)
        {
            var lifted = model.Holds.Keys.ElementAt(random.Next(model.Holds.Count));
            model.Steps.Add($"lift hold {lifted}");
            model.Holds.Remove(lifted);
            Assert.True(await LegalHolds.RemoveAsync(archiver.Connections, archiver.Source, lifted, "test", Token));
            return;
        }
        if (_kinds.Count == 0)
            _kinds.AddRange([
                s => ("key", new() { Session = s.Key, Reason = "case 7" }, other => other.Key == s.Key),
                s => ("user", new() { User = s.User, Reason = "case 7" }, other => other.User == s.User),
                _ =>
                    ("range", new() { From = TimeProvider.System.GetUtcNow().AddDays(-RangeDays), Reason = "case 7" }, other =>
                        other.Days < RangeDays || other.BegunNow
                    ),
            ]);
        var session = model.Sessions.Values.ElementAt(random.Next(model.Sessions.Count));
        var make = _kinds[random.Next(_kinds.Count)];
        _kinds.Remove(make);
        var (kind, request, covers) = make(session);
        model.Steps.Add($"hold by {kind} {(kind == "user" ? session.User : session.Key[..4])}");
        _happened.Add(kind);
        model.Holds.Add(Assert.Single(await archiver.HoldAsync(request, Token)), covers);
        var coverage = await archiver.CountHeldAsync(Token);
        Assert.Equal(model.Live.Count(model.IsHeld), coverage.Sessions);
    }

    /// <summary>Purges, discards, or tries to erase what is held; false when no session is.</summary>
    public async Task<bool> DestroyAsync()
    {
        if (model.Sessions.Values.FirstOrDefault(model.IsHeld) is not { } held)
            return false;
        if (_ways.Count == 0)
            _ways.AddRange([_ => PurgeAsync(), _ => DiscardAsync(), EraseAsync]);
        var way = _ways[random.Next(_ways.Count)];
        _ways.Remove(way);
        await way(held);
        return true;
    }

    private async Task PurgeAsync()
    {
        model.Steps.Add("purge");
        _happened.Add("purge");
        var summary = await archiver.RunAsync(model.Policy with { Name = "purge", Action = PolicyAction.Purge }, Token);
        var eligible = model.Live.Where(model.IsEligible).ToList();
        Assert.Equal((RunOutcome.Done, (long)eligible.Count), (summary.Outcome, summary.Sessions));
        foreach (var session in eligible)
            model.Sessions.Remove(session.Key);
    }

    /// <summary>
    /// Everything is old enough: what is archived and not held is gone, and a restored session's copy, by which its grace counts.
    /// </summary>
    private async Task DiscardAsync()
    {
        model.Steps.Add("discard");
        _happened.Add("discard");
        var held = model.Sessions.Values.Count(s => s.Archived && model.IsHeld(s));
        var report = await archiver.DiscardAsync(Token);
        Assert.Equal((RunOutcome.Done, 0), (report.Outcome, report.Failed.Count));
        Assert.True(report.Held.Archives >= held, string.Join("; ", model.Steps));
        foreach (var session in model.Sessions.Values.Where(s => !model.IsHeld(s)).ToList())
        {
            if (session.Archived)
                model.Sessions.Remove(session.Key);
            session.Restored = false;
        }
    }

    private async Task EraseAsync(ModelSession held)
    {
        model.Steps.Add($"erase {held.Key[..4]}, which is held");
        _happened.Add("erase");
        var receipt = await archiver.EraseAsync(new() { Ids = [held.Key] }, Token);
        Assert.Equal((false, ErasedSession.Held), (receipt.Complete, Assert.Single(receipt.Sessions).State));
    }
}
