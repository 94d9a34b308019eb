using Archiver.Core.Discovery;

namespace Archiver.Worker.Output;

/// <summary>What <c>archiver init</c> found, for a person.</summary>
internal static class InitText
{
    public static void WriteProposal(DatabaseFacts facts, Proposal proposal, Terminal terminal)
    {
        var session = proposal.Session;
        var known = proposal.Preset is { } preset ? $"; its chats are those of {preset} (preset)" : "";
        terminal.WriteLine($"Database {facts.Database}: {Amount.Of(facts.Tables.Count, "table")}{known}");
        terminal.WriteLine($"Sessions: {session.Table}, {ConfigurationText.SizeOf(facts.Table(session.Table)!)}");
        terminal.WriteLine($"  {session.Why}");
        terminal.WriteLine(
            $"  key {session.Key}; last used: {string.Join(" and ", session.Activity)}{(session.User is { } user ? $"; user {user}" : "")}"
        );
        var table = new TextTable("TABLE", "NAME", "BELOW", "BY", "SIZE");
        foreach (var child in proposal.Children)
            table.Add(child.Table.ToString(), child.Name, child.Parent, child.Why, ConfigurationText.SizeOf(facts.Table(child.Table)!));
        table.Write(terminal, "  ");
        WriteList("Not sure:", proposal.Doubts, terminal);
        WriteList("Left out:", proposal.LeftOut, terminal);
    }

    /// <summary>Statements that can be copied to psql as they stand: everything else in the block is a comment.</summary>
    public static string Script(NeededSql sql, string role)
    {
        List<string> lines =
        [
            $"-- A role for the archiver, with no more rights than runs need. Then give it a password: \\password {role}",
            .. sql.Role.Select(s => $"{s};"),
        ];
        lines.AddRange(["-- For restoring, too:", .. sql.Restore.Select(s => $"{s};")]);
        if (sql.Indexes.Count > 0)
        {
            lines.Add(
                "-- Without these indexes every batch reads whole tables. CONCURRENTLY: outside a transaction; the application goes on."
            );
            lines.AddRange(sql.Indexes.Select(s => $"{s};"));
        }
        return string.Join('\n', lines) + "\n";
    }

    public static void WriteLook(FirstLook look, string policy, Terminal terminal)
    {
        terminal.WriteLine("What archiver plan would say:");
        if (look.Plan is { } plan && look.Size is { } size)
        {
            terminal.WriteLine($"  {policy} (Archive): takes {plan.Eligible} of {Amount.Of(plan.Total, "session")}");
            if (plan.Eligible > 0)
                terminal.WriteLine(
                    $"  {Amount.Of(size.Rows, "row")}, about {Amount.Bytes(size.Bytes)}, the oldest last active {size.Oldest}"
                );
            foreach (var (reason, sessions) in plan.Excluded)
                terminal.WriteLine($"  {Amount.Of(sessions, "session")} left: {reason}");
        }
        else if (look.Inspection.LacksIndexesOnly)
            terminal.WriteLine("  counting takes longer than a minute: see archiver plan");
        if (look.Inspection.Problems.Count > 0)
            terminal.WriteLine(
                look.Inspection.LacksIndexesOnly ? "  once the indexes above are there; until then it refuses:" : "  it would refuse:"
            );
        foreach (var problem in look.Inspection.Problems)
            terminal.WriteLine($"  - {problem}");
        foreach (var warning in look.Inspection.Warnings)
            terminal.WriteLine($"  ! {warning}");
    }

    private static void WriteList(string title, IReadOnlyList<string> lines, Terminal terminal)
    {
        if (lines.Count == 0)
            return;
        terminal.WriteLine(title);
        foreach (var line in lines)
            terminal.WriteLine($"  - {line}");
    }
}
