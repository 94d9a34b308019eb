using System.Globalization;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>An installation over a table <c>chats</c> with a key <c>id</c>, whose times are what a test makes them.</summary>
internal static class TimedChats
{
    /// <param name="schema">Makes the tables.</param>
    /// <param name="tables">Keys of the mapping below <c>Tables</c>, beside the table and its key.</param>
    public static async Task<Installation> CreateAsync(TestServers servers, string schema, Dictionary<string, string> tables)
    {
        var archiver = await Installation.CreateAsync(servers, schema, TestContext.Current.CancellationToken);
        archiver.With("Sources:main:Tables:Session:Table", "chats").With("Sources:main:Tables:Session:Key", "id");
        foreach (var (key, text) in tables)
            archiver.With($"Sources:main:Tables:{key}", text);
        Assert.Equal(0, (await archiver.RunAsync("migrate")).ExitCode);
        return archiver;
    }

    public static Task<string?> LiveAsync(Installation archiver) =>
        archiver.Database.ScalarAsync<string?>(
            "SELECT string_agg(id::text, ',' ORDER BY id) FROM chats",
            TestContext.Current.CancellationToken
        );

    /// <summary>A value that the application makes of an instant, as SQL.</summary>
    public static string Of(string value, string instant) => string.Format(CultureInfo.InvariantCulture, value, $"({instant})");
}
