using Amazon.S3.Model;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>An installation whose ledger is lost or of an earlier time.</summary>
public abstract class LostLedgerScenario(TestServers servers)
{
    private protected TestServers Servers { get; } = servers;

    private protected const string Forget = "DELETE FROM archiver.archives; DELETE FROM archiver.objects; DELETE FROM archiver.runs";

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    private protected async Task<Installation> CreateAsync(int idle, bool versioned = false)
    {
        var archiver = await Installation.CreateAsync(Servers, Token, idle: idle, young: 0);
        if (versioned)
            await KeepVersionsAsync(archiver);
        // No age protects anything here.
        return archiver.With("Safety:ReconcileAge", "1ms").With("Sources:main:Policies:idle:RestoreGrace", "0s");
    }

    private protected static async Task KeepVersionsAsync(Installation archiver) =>
        await archiver.Bucket.Client.PutBucketVersioningAsync(
            new PutBucketVersioningRequest
            {
                BucketName = archiver.Bucket.Name,
                VersioningConfig = new S3BucketVersioningConfig { Status = Amazon.S3.VersionStatus.Enabled },
            },
            Token
        );
}
