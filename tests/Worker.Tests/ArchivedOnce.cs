namespace Archiver.Worker.Tests;

/// <summary>An installation with archives.</summary>
internal static class ArchivedOnce
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    internal static async Task<string[]> ArchivedAsync(Installation archiver) =>
        (await archiver.Database.CopyOutAsync("SELECT session_id FROM archiver.archives ORDER BY 1", Token)).TrimEnd().Split('\n');
}
