using System.Text.RegularExpressions;
using Archiver.Testing;

namespace Archiver.Core.Tests.Layering;

/// <summary>
/// The rooms of the code, from the ground up; docs/architecture.md says what each is for. A file uses rooms below its own only.
/// </summary>
public sealed partial class LayeringTests
{
    private static readonly string[] Core =
    [
        "Diagnostics",
        "Postgres",
        "Settings",
        "Spool",
        "Storage",
        "Sources",
        "Policies",
        "Inspection",
        "Ledger",
        "Holds",
        "Bucket",
        "Documents",
        "Ownership",
        "Selection",
        "Export",
        "Upload",
        "Verification",
        "Deletion",
        "Reading",
        "Import",
        "Reconciliation",
        "Erasure",
        "Purge",
        "Discard",
        "Pipelines",
        "Restore",
        "Proofs",
        "Status",
        "Query",
        "Configuration",
        "Discovery",
    ];

    private static readonly string[] Worker =
    [
        "Output",
        "Configuration",
        "Logging",
        "Access",
        "Jobs",
        "Metrics",
        "Http",
        "Pages",
        "Hosting",
        "Commands",
    ];

    [Fact]
    public void A_file_of_core_uses_only_rooms_below_its_own() => RequireDownwards("Core", Core);

    [Fact]
    public void A_file_of_the_worker_uses_only_rooms_below_its_own() => RequireDownwards("Worker", Worker);

    [Fact]
    public void The_architecture_names_every_room_in_its_order()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "architecture.md"));
        var rows = page.Split('\n')
            .SkipWhile(l => !l.StartsWith("## The rooms of Core", StringComparison.Ordinal))
            .Where(l => l.StartsWith("| ", StringComparison.Ordinal));
        Assert.Equal([.. Core, .. Worker], rows.Select(l => l.Split('|')[1].Trim()).Where(r => r != "room"));
    }

    [Fact]
    public void Sees_a_using_that_points_upwards()
    {
        string[] rooms = ["Ground", "Roof"];
        Assert.Equal(["Ground -> Roof"], Upwards("Core", rooms, "Ground", "using Archiver.Core.Roof.Tiles;\n"));
        Assert.Equal(["Ground -> Roof"], Upwards("Core", rooms, "Ground", "    var x = Archiver.Core.Roof.Tile.Of(1);\n"));
        Assert.Empty(Upwards("Core", rooms, "Roof", "using Archiver.Core.Ground;\n"));
    }

    private static void RequireDownwards(string project, string[] rooms)
    {
        var root = Path.Combine(Repository.Root, "src", project);
        var files = Directory
            .GetFiles(root, "*.*", SearchOption.AllDirectories)
            .Where(f => f.EndsWith(".cs", StringComparison.Ordinal) || f.EndsWith(".razor", StringComparison.Ordinal))
            .Select(f => (Path: f, Parts: Path.GetRelativePath(root, f).Split(Path.DirectorySeparatorChar)))
            // What stands at the root puts the rooms together.
            .Where(f => f.Parts.Length > 1 && f.Parts[0] is not ("bin" or "obj"))
            .ToList();
        Assert.Equal(rooms.Order(), files.Select(f => f.Parts[0]).Distinct().Order());
        Assert.Empty(
            files.SelectMany(f =>
                Upwards(project, rooms, f.Parts[0], File.ReadAllText(f.Path)).Select(u => $"{string.Join('/', f.Parts)}: {u}")
            )
        );
    }

    private static IEnumerable<string> Upwards(string project, string[] rooms, string room, string text) =>
        Used()
            .Matches(text)
            .Where(m => m.Groups["project"].Value == project)
            .Select(m => m.Groups["room"].Value)
            .Distinct()
            .Where(used => Array.IndexOf(rooms, used) > Array.IndexOf(rooms, room))
            .Select(used => $"{room} -> {used}");

    [GeneratedRegex(@"\bArchiver\.(?<project>Core|Worker)\.(?<room>\w+)", RegexOptions.ExplicitCapture)]
    private static partial Regex Used();
}
