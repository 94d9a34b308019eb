using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Discovery;

/// <summary>What a person said of the session table's columns; null is left to guess.</summary>
internal sealed record GivenColumns(KeyColumns? Key = null, IReadOnlyList<string>? Activity = null, string? User = null);

/// <summary>Guesses the roles of the session table's columns.</summary>
internal sealed class SessionColumns(Times times, List<string> doubts)
{
    private static readonly HashSet<string> KeyFamilies = ["uuid", "text", "integer", "numeric"];

    private static readonly HashSet<string> PartFamilies =
    [
        .. KeyFamilies,
        "timestamp with time zone",
        "timestamp without time zone",
        "date",
    ];

    /// <summary>
    /// The session table with its roles; null where it has no key or no time that could be mapped, with the reason among the doubts.
    /// </summary>
    public ProposedSession? Of(SessionCandidate candidate, GivenColumns given)
    {
        var table = candidate.Table;
        // One column where one is enough; else all that are unique together, the primary key before others.
        var key = given.Key
            ?? table
                .Unique.Where(table.NeverNull)
                .OrderBy(u => u.Count > 1)
                .Where(u => u.All(c => (u.Count == 1 ? KeyFamilies : PartFamilies).Contains(table.Column(c)!.Family)))
                .Select(u => KeyColumns.Of([.. u]))
                .FirstOrDefault();
        if (key is null)
        {
            doubts.Add($"{table.Table} has no columns that are unique and never NULL: name them with --key once they have a unique index.");
            return null;
        }
        // Names of columns tie nothing to several: its messages would be left behind.
        if (given.Key is null && key.Count > 1 && candidate.Messages?.Key is null && !SessionCandidates.HoldsMessages(table))
        {
            doubts.Add(
                $"The key of {table.Table} has several columns ({key}), and no foreign key says which tables have its messages: "
                    + "name a unique column, or these, with --key."
            );
            return null;
        }
        var created = times.First(table, Vocabulary.Created);
        List<TimeColumn> activity = given.Activity is null
            ? Activity(table, created)
            : [.. given.Activity.Select(c => times.Of(table, table.Column(c)!) ?? new TimeColumn(c))];
        var onlyCreated = activity.Count == 0 && created is not null;
        if (onlyCreated)
            activity = [created!];
        if (activity.Count == 0)
        {
            doubts.Add($"{table.Table} has no column that says when a session was last used: name one with --activity.");
            return null;
        }
        return new(table.Table, string.Join("; ", candidate.Reasons))
        {
            Key = key,
            ExternalId = table
                .Columns.Where(c => !key.Contains(c.Name) && Vocabulary.ExternalIds.Contains(Words.Plain(c.Name)))
                .FirstOrDefault(c => KeyFamilies.Contains(c.Family) && table.IsUnique(c.Name))
                ?.Name,
            Activity = activity,
            OnlyCreated = onlyCreated,
            User = given.User ?? First(table, Vocabulary.Users),
            Created = created,
            Ended = times.First(table, Vocabulary.Ended),
            Deleted = times.First(table, Vocabulary.Deleted),
            Expires = times.First(table, Vocabulary.Expires),
            Title = First(table, Vocabulary.Titles),
        };
    }

    /// <summary>
    /// All columns that may say it: one more keeps a session longer, one less takes it too early. Those that every session has come first,
    /// because the first one orders the selection.
    /// </summary>
    private List<TimeColumn> Activity(FoundTable table, TimeColumn? created)
    {
        var found = times.Of(table, Vocabulary.Activity);
        List<TimeColumn> always = [.. found.Where(t => !times.HasUnset(table, table.Column(t.Column)!))];
        return [.. always, .. found.Except(always).Select(t => WithPlace(table, t, [created, .. always]))];
    }

    /// <summary>A time that some sessions lack, with one in its place that is compared alike: alone it would keep those for ever.</summary>
    private TimeColumn WithPlace(FoundTable table, TimeColumn time, IEnumerable<TimeColumn?> places)
    {
        var place = places
            .OfType<TimeColumn>()
            .FirstOrDefault(p =>
                p.Column != time.Column && p.As == time.As && table.Column(p.Column)!.BaseType == table.Column(time.Column)!.BaseType
            );
        doubts.Add(
            $"{table.Table}.{time.Column} may be unset; "
                + (place is null ? "sessions without it are never archived." : $"then {place.Column} counts.")
        );
        return place is null ? time : time with { Or = place.Column };
    }

    private static string? First(FoundTable table, IReadOnlyList<string> names) =>
        names
            .Select(n => table.Columns.FirstOrDefault(c => Words.Plain(c.Name) == n && !c.IsJson)?.Name)
            .FirstOrDefault(c => c is not null);
}
