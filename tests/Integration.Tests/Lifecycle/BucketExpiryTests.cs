using Amazon.S3;
using Amazon.S3.Model;
using Archiver.Core.Diagnostics;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>Rule 19: the bucket's own lifecycle rules must not remove archives before their time.</summary>
public sealed class BucketExpiryTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("", 3650, null, "when they are 3650d old, and Archiver:Discard:After is not set")]
    [InlineData("chat_archives/2021", 30, null, "when they are 30d old")]
    [InlineData("chat_archives/2", 394, 365, "when they are 394d old, before Archiver:Discard:After and Notice are over (365d + 30d)")]
    [InlineData("chat_archives/2", 395, 365, null)]
    [InlineData("chat_archives_of_others", 1, 365, null)]
    [InlineData("chat_archives.", 1, null, null)]
    public async Task Refuses_to_store_where_a_rule_removes_archives_too_early(string prefix, int days, int? discardAfter, string? refusal)
    {
        await using var archiver = await CreateAsync(discardAfter);
        await RuleAsync(archiver.Bucket, prefix, new() { Days = days }, LifecycleRuleStatus.Enabled);

        var summary = await archiver.RunAsync(Token);

        if (refusal is null)
        {
            Assert.Equal((RunOutcome.Done, 2L), (summary.Outcome, summary.Sessions));
            return;
        }
        Assert.Equal((RunOutcome.Refused, 3, 0L), (summary.Outcome, summary.ExitCode, summary.Sessions));
        Assert.Contains(
            $"The lifecycle rule 'tidy' of s3://{archiver.Bucket.Name} removes objects under 'chat_archives/' {refusal}",
            summary.Error,
            StringComparison.Ordinal
        );
        Assert.Equal(3, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions"));
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.objects"));
    }

    // However late: a tombstone must outlive every backup.
    [Theory]
    [InlineData("")]
    [InlineData("chat_archives/")]
    [InlineData("chat_archives/.archiver/")]
    [InlineData("chat_archives/.archiver/erased/")]
    public async Task Refuses_to_store_where_a_rule_ever_removes_tombstones(string prefix)
    {
        await using var archiver = await CreateAsync(discardAfter: 365);
        await RuleAsync(archiver.Bucket, prefix, new() { Days = 36500 }, LifecycleRuleStatus.Enabled);

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Refused, 3, 0L), (summary.Outcome, summary.ExitCode, summary.Sessions));
        Assert.Contains(
            "removes objects under 'chat_archives/.archiver/' when they are 36500d old, with them the tombstones",
            summary.Error,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Warns_that_a_rule_that_comes_late_enough_knows_no_hold()
    {
        await using var archiver = await CreateAsync(discardAfter: 365);
        await RuleAsync(archiver.Bucket, "chat_archives/2", new() { Days = 395 }, LifecycleRuleStatus.Enabled);

        Assert.Equal(RunOutcome.Done, (await archiver.RunAsync(Token)).Outcome);

        Assert.Contains(archiver.Events.Messages, m =>
            m.Contains("'tidy'", StringComparison.Ordinal) && m.Contains("under legal hold or not", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Refuses_a_fixed_date_too_and_takes_no_notice_of_a_rule_that_is_switched_off()
    {
        await using var archiver = await CreateAsync(discardAfter: 365);
        var someday = new LifecycleRuleExpiration { Date = new DateTime(2040, 1, 1, 0, 0, 0, DateTimeKind.Utc) };
        await RuleAsync(archiver.Bucket, "", someday, LifecycleRuleStatus.Enabled);
        var refused = await archiver.RunAsync(Token);
        await RuleAsync(archiver.Bucket, "", someday, LifecycleRuleStatus.Disabled);

        var summary = await archiver.RunAsync(Token);

        Assert.Contains("at a fixed date, before", refused.Error, StringComparison.Ordinal);
        Assert.Equal((RunOutcome.Done, 2L), (summary.Outcome, summary.Sessions));
    }

    [Theory]
    [InlineData(StoreFault.AccessDenied)]
    [InlineData(StoreFault.NotImplemented)]
    public async Task Warns_where_the_rules_cannot_be_read_and_goes_on(StoreFault fault)
    {
        await using var proxy = new FaultProxy(servers.S3.Endpoint, (_, path) =>
            path.Contains("lifecycle", StringComparison.Ordinal) ? fault : StoreFault.None
        );
        await using var archiver = await CreateAsync(discardAfter: null, proxy.Endpoint);

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Done, 2L), (summary.Outcome, summary.Sessions));
        Assert.Contains(archiver.Events.Messages, m => m.Contains("s3:GetLifecycleConfiguration", StringComparison.Ordinal));
    }

    private Task<ArchiverFixture> CreateAsync(int? discardAfter, Uri? endpoint = null) =>
        ArchiverFixture.CreateAsync(servers, Token, idle: 2, young: 1, messages: 1, configure: s => s with { Discard = new()
                {
                    After = discardAfter is { } days ? TimeSpan.FromDays(days) : null,
                    Notice = TimeSpan.FromDays(30),
                }, Storage = s.Storage with { Endpoint = endpoint ?? s.Storage.Endpoint } });

    private static Task<PutLifecycleConfigurationResponse> RuleAsync(
        TestBucket bucket,
        string prefix,
        LifecycleRuleExpiration expiration,
        LifecycleRuleStatus status
    ) =>
        bucket.Client.PutLifecycleConfigurationAsync(
            new PutLifecycleConfigurationRequest
            {
                BucketName = bucket.Name,
                Configuration = new LifecycleConfiguration
                {
                    Rules =
                    [
                        new LifecycleRule
                        {
                            Id = "tidy",
                            Status = status,
                            Expiration = expiration,
                            Filter = new LifecycleFilter { LifecycleFilterPredicate = new LifecyclePrefixPredicate { Prefix = prefix } },
                        },
                    ],
                },
            },
            Token
        );
}
