using System.IO.Compression;
using Archiver.Core.Diagnostics;
using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Selection;
using Archiver.Core.Upload;
using Archiver.Core.Verification;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Archiving;

/// <summary>
/// What the store may do to an object between its upload and its delete: nothing of that session is deleted, the others go.
/// </summary>
public sealed class DamagedCopyTests(TestServers servers)
{
    private const int Idle = 6;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Takes_no_batch_for_verified_of_which_an_object_was_never_handed_over()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        await using var scope = await archiver.BeginAsync(new(archiver.Source, archiver.Policy), Token);
        var run = scope.Context;
        var selected = await new BatchSelector(run).NextAsync(long.MaxValue, Token);
        await using var exported = await new BatchExporter(
            run,
            CompressionLevel.Fastest,
            new ExportServer(run, TimeSpan.Zero, TimeProvider.System)
        ).ExportAsync(selected!, Token);
        var uploaded = UploadedBatch.Of(exported);
        uploaded.Complete(failure: null);

        var verification = VerifiedBatch.VerifyAsync(uploaded, new ObjectVerifier(archiver.Store, "session_id"), 4, Token);

        await Assert.ThrowsAsync<InvalidOperationException>(() => verification);
    }

    [Theory]
    [InlineData("flipped byte", DropReason.Corrupt)]
    [InlineData("truncated", DropReason.Corrupt)]
    [InlineData("longer", DropReason.Corrupt)]
    [InlineData("empty", DropReason.Corrupt)]
    [InlineData("another header of the same document", DropReason.Corrupt)]
    [InlineData("missing", DropReason.Missing)]
    [InlineData("another session's", DropReason.Corrupt)]
    public async Task Never_deletes_a_session_whose_copy_is_damaged(string damage, string reason)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        var session = await archiver.AnyIdleAsync(Token);
        var rows = await archiver.Database.CopyOutAsync($"SELECT * FROM chat_messages WHERE session_id = '{session}' ORDER BY id");
        var other = new TaskCompletionSource<byte[]>();
        archiver.Store = new HookedStore(archiver.Store) { AfterPut = key => DamageAsync(archiver.Bucket, key, session, damage, other) };

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Partial, 1, Idle - 1L, 1L), (summary.Outcome, summary.ExitCode, summary.Sessions, summary.Failed));
        Assert.Equal(1, summary.Reasons[reason]);
        Assert.Equal(
            rows,
            await archiver.Database.CopyOutAsync("SELECT * FROM chat_messages WHERE timestamp < now() - interval '90 days' ORDER BY id")
        );
        Assert.Equal(
            "abandoned",
            await archiver.Database.ScalarAsync<string>($"SELECT state FROM archiver.objects WHERE members = ARRAY['{session}']")
        );
        Assert.Equal("partial", await archiver.Database.ScalarAsync<string>("SELECT state FROM archiver.runs"));
    }

    private static async Task DamageAsync(TestBucket bucket, string key, string session, string damage, TaskCompletionSource<byte[]> other)
    {
        var bytes = await bucket.GetRawAsync(key);
        if (!key.Contains(session, StringComparison.Ordinal))
        {
            other.TrySetResult(bytes);
            return;
        }
        switch (damage)
        {
            case "flipped byte":
                bytes[bytes.Length / 2] ^= 1;
                await bucket.PutRawAsync(key, bytes);
                break;
            case "another header of the same document":
                // The operating system that gzip names: no document changes with it, only the object.
                bytes[9] ^= 1;
                await bucket.PutRawAsync(key, bytes);
                break;
            case "truncated":
                await bucket.PutRawAsync(key, bytes[..^9]);
                break;
            case "longer":
                await bucket.PutRawAsync(key, [.. bytes, 0]);
                break;
            case "empty":
                await bucket.PutRawAsync(key, []);
                break;
            case "missing":
                await bucket.Client.DeleteObjectAsync(bucket.Name, key);
                break;
            case "another session's":
                await bucket.PutRawAsync(key, await other.Task);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(damage), damage, null);
        }
    }
}
