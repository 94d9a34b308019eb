using Archiver.Core.Configuration;
using Archiver.Core.Settings;

namespace Archiver.Core.Discovery;

/// <summary>Guesses the mapping of a database from facts alone: the same facts give the same proposal.</summary>
internal sealed class Proposer(DatabaseFacts facts, GivenAnswers given)
{
    private readonly Links _links = new(facts);

    private readonly Times _times = new(facts);

    /// <summary>The guess.</summary>
    public Guess Make()
    {
        if (facts.Tables.Count == 0)
            return new(null, [], $"Database {facts.Database} has no tables.");
        if (given is { Sessions: null, Columns: { Key: null, Activity: null } } && Preset() is { } known)
            return new(known, [], null);
        var candidates = new SessionCandidates(facts, _links);
        List<SessionCandidate> all = given.Sessions is { } named ? [candidates.Named(facts.Table(named)!)] : [.. candidates.All()];
        if (all.Count == 0)
            return Rowless(null, NoCandidate());
        List<string> doubts = [];
        // One without a key or a time cannot be mapped, however good its name is; why stays among the doubts.
        if (all.Select(c => Map(c, doubts)).FirstOrDefault(m => m is not null) is not var (session, children, below))
            return Rowless(all, string.Join(' ', doubts));
        var guess = new Guess(null, all, null);
        if (guess.IsAmbiguous)
        {
            var others = all.Skip(1).TakeWhile(guess.IsNear).Select(c => c.Table.Table);
            doubts.Add($"{string.Join(" or ", others)} may hold the sessions as well: --sessions decides.");
        }
        if (children.Count == 0)
            doubts.Add($"No table below {session.Table} was found: its messages must stand in its own rows.");
        var proposal = new Proposal
        {
            Session = session,
            Children = children,
            Doubts = [.. doubts, .. below.Doubts],
            LeftOut = below.LeftOut,
        };
        return guess with { Best = Complete(proposal) };
    }

    /// <summary>The session table with what hangs below it; null where that cannot be mapped, with the reason among the doubts.</summary>
    private (ProposedSession Session, IReadOnlyList<ProposedChild> Children, ChildTables Below)? Map(
        SessionCandidate candidate,
        List<string> doubts
    )
    {
        if (new SessionColumns(_times, doubts).Of(candidate, given.Columns) is not { } session)
            return null;
        var below = Below(new() { Messages = candidate.Messages?.Link.From, Without = given.Without });
        var children = below.Of(candidate.Table, []);
        if (!session.OnlyCreated)
            return (session, children, below);
        var says = $"{session.Table} does not say when a session was last used";
        if (!children.Any(c => c is { Name: ChildTables.MessagesName, Time: not null }))
        {
            doubts.Add($"{says}, and no message below it says when it was written: name a column that does with --activity.");
            return null;
        }
        doubts.Add($"{says}. {session.Activity[0].Column} is taken, and a session with a young row in a table below stays.");
        return (session, children, below);
    }

    private ChildTables Below(KnownTables known) => new(facts, _links, _times, new Dependence(facts, _links, known));

    /// <summary>Sessions without a row where none with one were found.</summary>
    private Guess Rowless(IReadOnlyList<SessionCandidate>? candidates, string otherwise)
    {
        var (proposal, why) = new RowlessSessions(facts, _links, _times).Make(given.Sessions, given.Columns.Key?.Only);
        // What lacks a candidate says more than that its messages are no sessions.
        return proposal is null
            ? new(null, candidates ?? [], candidates is null ? why ?? otherwise : otherwise)
            : new(Complete(proposal), [], null);
    }

    /// <summary>The known application, with what its database has below the tables that the preset maps.</summary>
    private Proposal? Preset()
    {
        var fits = PresetMatch.Of(facts);
        if (
            fits.FirstOrDefault(f => given.Preset is null || f.Name.Equals(given.Preset, StringComparison.OrdinalIgnoreCase))
            is not { } match
        )
            return null;
        List<ProposedChild> known =
        [
            .. match.Map.Children.Select(c => new ProposedChild(c.Name, c.Table, "of the preset")
            {
                Parent = c.Parent,
                ForeignKey = c.ForeignKey,
                ParentKey = c.ParentKey,
                Key = c.Key,
                Order = c.Order,
                OfPreset = true,
            }),
        ];
        var below = Below(
            new()
            {
                Without = given.Without,
                Preset = match.Name,
                Leaves = match.Leaves,
            }
        );
        var children = below.Of(facts.Table(match.Map.Session.Table)!, known);
        var session = match.Map.Session;
        var where = match.Where(facts);
        return Complete(
            new()
            {
                Preset = match.Name,
                Moved = match.Moved,
                Session = new(session.Table, $"the tables of {match.Name}, with all {match.Columns} columns of its preset")
                {
                    From = session.From,
                    Key = session.Key,
                    ExternalId = session.ExternalId,
                    Activity = session.Activity,
                    User = session.User,
                    Archived = session.Archived,
                    ArchiveLocation = session.ArchiveLocation,
                    Status = session.Status,
                },
                Children = children,
                Where = where[true].Any() ? string.Join(" AND ", where[true]) : null,
                Doubts =
                [
                    $"Preset {match.Name}: {Presets.Get(match.Name).Notes}",
                    .. where[false].Select(w => $"The condition {w} is left out: {session.Table} has no such column."),
                    .. fits.Where(f => f.Name != match.Name)
                        .Select(f => $"The tables also fit preset {f.Name}, by {f.Columns} columns to {match.Columns}."),
                    .. below.Doubts,
                ],
                LeftOut = below.LeftOut,
            }
        );
    }

    /// <summary>Doubts that do not depend on how the tables were found.</summary>
    private Proposal Complete(Proposal proposal)
    {
        List<string> doubts = [.. proposal.Doubts];
        var tables = proposal.Tables.Select(t => facts.Table(t)!).ToList();
        List<string> local = [.. Times(proposal).Where(IsLocal).Select(t => $"{t.Table.Table}.{t.Time.Column}").Distinct()];
        if (proposal.Preset is null && local.Count > 0)
            doubts.Add(
                $"Times without a zone are taken for UTC: {string.Join(", ", local)}. If the application writes another zone, set TimeZone."
            );
        if (tables.Where(t => t.RowSecurity).Select(t => t.Table.ToString()).ToList() is { Count: > 0 } secured)
            doubts.Add(
                $"Row level security is on for {string.Join(", ", secured)}: "
                    + "the archiver's role must bypass it, or rows would be missing from the archive."
            );
        if (facts.Tables.Count(t => !t.Readable) is > 0 and var hidden)
            doubts.Add($"Role {facts.Role} may not read {hidden} of {facts.Tables.Count} tables: none of these was considered.");
        return proposal with { Doubts = [.. doubts.Distinct()], LeftOut = [.. proposal.LeftOut.Distinct()] };
    }

    private IEnumerable<(FoundTable Table, TimeColumn Time)> Times(Proposal proposal) =>
        proposal
            .Session.Activity.Concat(
                new[]
                {
                    proposal.Session.Created,
                    proposal.Session.Ended,
                    proposal.Session.Deleted,
                    proposal.Session.Expires,
                }.OfType<TimeColumn>()
            )
            .Select(t => (facts.Table(proposal.Session.Table)!, t))
            .Concat(
                proposal.Children.SelectMany(c => new[] { c.Time, c.Deleted }.OfType<TimeColumn>().Select(t => (facts.Table(c.Table)!, t)))
            );

    private static bool IsLocal((FoundTable Table, TimeColumn Time) time) =>
        time.Time.As == TimeForm.Text || time.Table.Column(time.Time.Column)?.BaseType == "timestamp without time zone";

    private string NoCandidate()
    {
        var unread = facts.Tables.Count(t => !t.Readable);
        return $"None of the {facts.Tables.Count - unread} tables that role {facts.Role} may read in database {facts.Database} "
            + $"looks like chat sessions with messages below them{(unread > 0 ? $"; {unread} more it may not read" : "")}.";
    }
}
