using System.Text.RegularExpressions;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>No statement can be printed that no test executes.</summary>
public sealed partial class AdvisedStatementTests
{
    /// <summary>Whoever adds a statement to the code adds it here, with the test that executes it.</summary>
    [Fact]
    public void Every_statement_that_can_be_printed_is_executed_by_a_test()
    {
        Dictionary<string, string> known = new()
        {
            ["ADD COLUMN"] = nameof(HarmlessAdviceTests.What_it_advises_can_be_executed_and_the_application_goes_on),
            ["ADD PRIMARY KEY"] = nameof(HarmlessAdviceTests.What_it_advises_can_be_executed_and_the_application_goes_on),
            ["CREATE INDEX"] = nameof(HarmlessAdviceTests.What_it_advises_can_be_executed_and_the_application_goes_on),
            ["SET ACCESS METHOD"] = nameof(HarmlessAdviceTests.What_it_advises_can_be_executed_and_the_application_goes_on),
            ["SET LOGGED"] = nameof(HarmlessAdviceTests.What_it_advises_can_be_executed_and_the_application_goes_on),
            ["ALTER ROLE IN DATABASE"] = "Refuses_settings_that_blind_the_delete",
            ["ALTER SYSTEM"] = "Refuses_a_standby_and_a_lock_timeout_that_is_not_below_the_deadlock_timeout",
            ["GRANT SELECT ON"] = "Warns_of_a_table_that_points_to_sessions_and_cannot_be_read",
            ["GRANT ON"] = "Refuses_a_role_without_rights_and_grants_exactly_what_a_run_needs",
            ["GRANT USAGE ON SCHEMA"] = "Refuses_a_role_without_rights_and_grants_exactly_what_a_run_needs",
            ["GRANT UPDATE"] = "Refuses_a_role_that_may_not_set_the_mark_that_a_policy_sets",
        };
        var printed = Directory
            .EnumerateFiles(Path.GetDirectoryName(Repository.File("src", "Core", "Inspection", "Findings.cs"))!, "*.cs")
            .SelectMany(f => Statement().Matches(File.ReadAllText(f)))
            .Select(m => Hole().Replace(m.Groups[1].Value, " "))
            .Select(s => known.Keys.Where(k => k.Split(' ').All(s.Contains)).MaxBy(k => k.Length) ?? s)
            .ToHashSet();
        var tests = string.Concat(
            Directory
                .EnumerateFiles(Path.GetDirectoryName(Repository.File("tests", "mutants.txt"))!, "*Tests.cs", SearchOption.AllDirectories)
                .Where(f => f.Contains(".Tests", StringComparison.Ordinal))
                .Select(File.ReadAllText)
        );

        Assert.Equal(known.Keys.Order(), printed.Order());
        Assert.All(known.Values, t => Assert.Contains($" {t}(", tests, StringComparison.Ordinal));
    }

    [GeneratedRegex("\\$?\"((?:ALTER|CREATE|DROP|GRANT|REVOKE|UPDATE|DELETE|TRUNCATE|INSERT|VACUUM|REINDEX) [^\\n]*)\"")]
    private static partial Regex Statement();

    [GeneratedRegex("\\{[^}]*\\}")]
    private static partial Regex Hole();
}
