using System.IO.Compression;
using System.Text;
using Archiver.Core.Diagnostics;
using Archiver.Core.Reading;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Restore;

/// <summary>Objects that are not what was archived: refused with key and reason, nothing written; the other sessions come back.</summary>
public sealed class RefusedObjectTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Damages =>
        new()
        {
            { "flipped", "the " },
            { "truncated", "the document" },
            { "empty", "the document" },
            { "foreign session", "the document is of another session" },
            { "foreign source", "its bytes are not what was archived" },
            { "one letter", "its bytes are not what was archived" },
            { "newer format", "Its format is 'archiver.session/2'; this program reads archiver.session/1" },
            { "not an archive", "It is not a document of the archiver" },
            { "gone", "its object is missing in s3://" },
        };

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task Is_refused_with_its_key_and_reason_and_the_others_come_back(string damage, string reason)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 1);
        var before = await archiver.Database.CopyTablesAsync(archiver);
        await archiver.RunAsync(Token);
        // The largest object is damaged, so that another one fits into its place.
        var keys = (await archiver.Database.CopyOutAsync("SELECT key FROM archiver.objects ORDER BY length DESC")).TrimEnd().Split('\n');
        Assert.Equal(3, keys.Length);
        var whole = await archiver.Bucket.GetRawAsync(keys[0]);
        if (damage == "gone")
            await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, keys[0], Token);
        else
            await archiver.Bucket.PutRawAsync(keys[0], Damage(damage, whole, await archiver.Bucket.GetRawAsync(keys[2])), Token);
        // As if the length were the same by chance: a shorter range would only look truncated.
        await archiver.Database.ExecuteAsync(
            $"UPDATE archiver.archives a SET byte_length = 1000000 FROM archiver.objects o WHERE o.id = a.object_id AND o.key = '{keys[0]}'"
        );

        var report = await archiver.RestoreAsync(RestoreFixture.Everything, Token);

        Assert.Equal((RunOutcome.Partial, 1, 2L), (report.Outcome, report.ExitCode, report.Restored));
        var refused = Assert.Single(report.Refused);
        Assert.Equal(keys[0], refused.ObjectKey);
        Assert.Contains(reason, refused.Reason, StringComparison.Ordinal);
        Assert.Equal(
            0,
            await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM chat_sessions WHERE session_id = '{refused.SessionId}'")
        );
        Assert.Equal(
            0,
            await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM chat_messages WHERE session_id = '{refused.SessionId}'")
        );
        Assert.Equal(
            "archived",
            await archiver.Database.ScalarAsync<string>($"SELECT state FROM archiver.archives WHERE session_id = '{refused.SessionId}'")
        );

        await archiver.Bucket.PutRawAsync(keys[0], whole, Token);
        Assert.Equal(1, (await archiver.RestoreAsync(RestoreFixture.Everything, Token)).Restored);
        Assert.Equal(before, await archiver.Database.CopyTablesAsync(archiver));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(100)]
    public async Task Without_a_ledger_a_truncated_object_is_refused_as_well(int lost)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 1, young: 0);
        await archiver.RunAsync(Token);
        var key = (await archiver.Bucket.ListKeysAsync("chat_archives/2"))[0];
        var whole = await archiver.Bucket.GetRawAsync(key);
        await archiver.Bucket.PutRawAsync(key, whole[..^lost], Token);
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE");

        var report = await archiver.RestoreAsync(
            new RestoreOptions
            {
                Source = "main",
                Who = "test",
                ObjectKeys = [key],
            },
            Token
        );

        Assert.Equal((RunOutcome.Partial, 0L, key), (report.Outcome, report.Restored, Assert.Single(report.Refused).ObjectKey));
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions"));
    }

    [Fact]
    public async Task Without_a_ledger_a_document_of_another_session_under_the_name_is_refused()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 2, young: 0);
        await archiver.RunAsync(Token);
        var keys = await archiver.Bucket.ListKeysAsync("chat_archives/2");
        await archiver.Bucket.PutRawAsync(keys[0], await archiver.Bucket.GetRawAsync(keys[1]), Token);
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE");

        var report = await archiver.RestoreAsync(
            RestoreFixture.Session(Path.GetFileName(keys[0]).Replace(".json.gz", "", StringComparison.Ordinal)),
            Token
        );

        Assert.Equal((0L, "the document is of another session"), (report.Restored, Assert.Single(report.Refused).Reason));
    }

    private static byte[] Damage(string damage, byte[] whole, byte[] other) =>
        damage switch
        {
            "flipped" => [.. whole[..(whole.Length / 2)], (byte)~whole[whole.Length / 2], .. whole[(whole.Length / 2 + 1)..]],
            "truncated" => whole[..(whole.Length / 2)],
            "empty" => [],
            "foreign session" => other,
            "foreign source" => Rewrite(whole, "\"name\":\"main\"", "\"name\":\"other\""),
            "one letter" => Rewrite(whole, "\"role\":\"user\"", "\"role\":\"tool\""),
            "newer format" => Rewrite(whole, "archiver.session/1", "archiver.session/2"),
            "not an archive" => Zip("[1,2,3]"),
            _ => throw new ArgumentOutOfRangeException(nameof(damage)),
        };

    private static byte[] Rewrite(byte[] gzip, string from, string to)
    {
        using var unzip = new GZipStream(new MemoryStream(gzip), CompressionMode.Decompress);
        using var reader = new StreamReader(unzip);
        var text = reader.ReadToEnd();
        Assert.Contains(from, text, StringComparison.Ordinal);
        return Zip(text.Replace(from, to, StringComparison.Ordinal));
    }

    private static byte[] Zip(string text)
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.Optimal, leaveOpen: true))
            gzip.Write(Encoding.UTF8.GetBytes(text));
        return bytes.ToArray();
    }
}
