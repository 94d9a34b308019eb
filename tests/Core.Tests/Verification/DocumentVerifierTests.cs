using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Selection;
using Archiver.Core.Spool;
using Archiver.Core.Verification;

namespace Archiver.Core.Tests.Verification;

/// <summary>A copy is right when it holds the rows that are to be deleted, not when its bytes are those that were sent.</summary>
public sealed class DocumentVerifierTests
{
    // As a writer would leave it that lost a message, or took somebody else's: the hash is made of the same bytes.
    [Theory]
    [InlineData(3, null)]
    [InlineData(2, DropReason.Corrupt)]
    [InlineData(4, DropReason.Corrupt)]
    [InlineData(0, DropReason.Corrupt)]
    public async Task A_copy_with_other_rows_than_were_exported_is_damaged_although_its_hash_is_right(int messages, string? reason)
    {
        var rows = string.Join(",", Enumerable.Range(1, messages).Select(n => $$"""{"id":{{n}},"content":"hello"}"""));
        var json = Encoding.UTF8.GetBytes(
            $$$$"""
            {"format":"archiver.session/1","archived_at":"2026-01-01T00:00:00Z",
             "source":{"name":"main","database":"d","system_id":"1","server":"17","policy":"p","run":"r"},"generation":1,
             "tables":{"session":{"table":"s","columns":{"id":"uuid"}},"messages":{"table":"m","columns":{}}},
             "session":{"id":"k1"},"messages":[{{{{rows}}}}]}
            """
        );
        using var compressed = new MemoryStream();
        await using (var writer = new GZipStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
            await writer.WriteAsync(json, TestContext.Current.CancellationToken);
        var gzip = compressed.ToArray();
        await using var spool = new SpoolingStream();
        await spool.WriteAsync(gzip, TestContext.Current.CancellationToken);
        using var content = spool.Complete();
        var sha256 = SHA256.HashData(json);
        var exported = new ExportedSession(
            new SelectedSession { Key = "k1", Month = "2026/01" },
            new SessionDocument(content, json.Length, sha256),
            new Dictionary<string, Fingerprint> { ["session"] = new(1, 1), ["messages"] = new(3, 3) }
        );
        var member = new ExpectedMember(new(1, new("k1.json.gz"), 0, gzip.Length, json.Length, sha256), exported, Marked: null);

        var held = await new DocumentVerifier("id").VerifyAsync(gzip, member, TestContext.Current.CancellationToken);
        using var stream = new MemoryStream(gzip, writable: false);
        var streamed = await new DocumentVerifier("id").VerifyAsync(stream, member, TestContext.Current.CancellationToken);

        Assert.Equal((reason, reason), (held.Reason, streamed.Reason));
    }
}
