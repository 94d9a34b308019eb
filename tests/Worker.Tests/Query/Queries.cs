namespace Archiver.Worker.Tests.Query;

/// <summary>Queries through the command line.</summary>
internal static class Queries
{
    internal static async Task<IReadOnlyList<string>> QueryAsync(Installation archiver, string sql, params string[] options)
    {
        var result = await archiver.RunAsync(["query", sql, "--json", .. options]);
        Assert.True(result.ExitCode == 0, result.Error);
        return result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
