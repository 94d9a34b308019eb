using Archiver.Core.Diagnostics;
using Archiver.Core.Reading;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Restore;

public sealed class FrozenExampleTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_first_document_of_the_first_format_is_restored_by_every_later_archiver()
    {
        await using var archiver = await AnyTypes.CreateAsync(servers, Token);
        var expected = new[]
        {
            await archiver.Database.CopyOutAsync("SELECT * FROM chats WHERE id = 1"),
            await archiver.Database.CopyOutAsync("SELECT * FROM notes WHERE chat_id = 1 ORDER BY id"),
            await archiver.Database.CopyOutAsync(
                "SELECT f.* FROM files f JOIN notes n ON n.id = f.note_id WHERE n.chat_id = 1 ORDER BY note_id, name"
            ),
        };
        await archiver.Database.ExecuteAsync("TRUNCATE chats, notes, files RESTART IDENTITY");
        const string key = "chat_archives/2020/02/1.json.gz";
        await archiver.Bucket.PutRawAsync(
            key,
            await File.ReadAllBytesAsync(Repository.File("tests", "Core.Tests", "Format", "examples", "archiver.session-1.json.gz"), Token),
            Token
        );

        var report = await archiver.RestoreAsync(
            new RestoreOptions
            {
                Source = "main",
                Who = "test",
                ObjectKeys = [key],
            },
            Token
        );

        Assert.Null(report.Error);
        Assert.Empty(report.Refused);
        Assert.Equal((RunOutcome.Done, 1L, 7L), (report.Outcome, report.Restored, report.Rows));
        Assert.Equal(
            expected[0].Replace("1.50,\\n", "1.50, ", StringComparison.Ordinal),
            await archiver.Database.CopyOutAsync("SELECT * FROM chats")
        );
        Assert.Equal(expected[1], await archiver.Database.CopyOutAsync("SELECT * FROM notes ORDER BY id"));
        Assert.Equal(expected[2], await archiver.Database.CopyOutAsync("SELECT * FROM files ORDER BY note_id, name"));
    }
}
