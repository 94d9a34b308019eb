namespace Archiver.Worker.Tests;

/// <summary>What a test about parts of sessions counts.</summary>
internal static class PartTables
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    internal static readonly string[] Tables = ["members", "attachments", "posts", "channels"];

    internal static Task<string?> StatesAsync(Installation archiver) =>
        archiver.Database.ScalarAsync<string?>(
            "SELECT string_agg(concat_ws(' ', generation, CASE WHEN part THEN 'part' END, state), ', ' ORDER BY generation) FROM "
                + "archiver.archives WHERE session_id = '1'",
            Token
        );
}
