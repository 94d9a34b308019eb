using Archiver.Core.Ledger;

namespace Archiver.Core.Tests.Lifecycle;

/// <summary>The ids of erased sessions leave the errors of runs, and nothing else does.</summary>
public sealed class RunErrorsTests
{
    [Theory]
    [InlineData("session 17 is missing", "session (erased) is missing")]
    [InlineData("17", "(erased)")]
    [InlineData("17,17: 17", "(erased),(erased): (erased)")]
    [InlineData("session 170 and 117 are missing", null)]
    [InlineData("a-17-b is 17", "a-(erased)-b is (erased)")]
    [InlineData("x(1) and [a.b]*", "(erased) and (erased)")]
    [InlineData("", null)]
    public void Takes_out_ids_that_are_words_of_their_own(string error, string? expected)
    {
        HashSet<string> ids = ["17", "x(1)", "[a.b]*"];

        Assert.Equal(expected, RunErrors.Without(error, ids, [.. ids.Select(i => i.Length).Distinct().OrderDescending()]));
    }
}
