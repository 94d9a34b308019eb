using Archiver.Core.Pipelines;
using Archiver.Core.Settings;
using Archiver.Core.Status;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Status;

/// <summary>Whose success a policy's is, and since when its work waits: what alerts go by.</summary>
public sealed class PolicySuccessTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_shard_that_waits_longest_speaks_for_the_policy()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 1, young: 0, configure: s =>
            s with
            {
                Schedule = s.Schedule with { Shards = 2 },
            }
        );
        await RecordAsync(archiver, "idle", "archive", "done", shard: 1, "2026-03-03");
        await RecordAsync(archiver, "idle", "archive", "failed", shard: 2, "2026-03-03");

        Assert.Null(await SuccessAsync(archiver));
        await RecordAsync(archiver, "idle", "archive", "done", shard: 2, "2026-02-02");
        Assert.Equal("2026-02-02", await SuccessAsync(archiver));
    }

    [Fact]
    public async Task A_discard_is_no_success_of_a_policy_of_that_name()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 1, young: 0, configure: s =>
            s with
            {
                Sources = [s.Sources[0] with { Policies = [s.Sources[0].Policies[0] with { Name = "discard" }] }],
            }
        );
        await RecordAsync(archiver, "discard", "archive", "done", shard: 1, "2026-02-02", shards: 1);
        await RecordAsync(archiver, "discard", "archive", "failed", shard: 1, "2026-03-03", shards: 1);
        await RecordAsync(archiver, "discard", "discard", "done", shard: 1, "2026-03-04", shards: 1);

        Assert.Equal("2026-02-02", await SuccessAsync(archiver));
        Assert.Equal("failed", (await ReadAsync(archiver)).LastRun!.State);
    }

    [Fact]
    public async Task Messages_wait_since_the_oldest_of_them_was_due()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0, messages: 4, configure: s =>
            s with
            {
                Sources =
                [
                    s.Sources[0] with
                    {
                        Policies =
                        [
                            Parts("aged") with
                            {
                                MessagesOlderThan = TimeSpan.FromDays(30),
                            },
                            Parts("counted") with
                            {
                                KeepLast = 2,
                            },
                        ],
                    },
                ],
            }
        );
        // Of each session the messages of 1, 2, 3 and 40 days ago: the one of 2 days ago was the first too many.
        await archiver.Database.ExecuteAsync(
            """
            UPDATE chat_messages AS m SET timestamp = now() - (ARRAY[1, 2, 3, 40])[r.n] * interval '1 day'
            FROM (SELECT id, row_number() OVER (PARTITION BY session_id ORDER BY id) AS n FROM chat_messages) AS r WHERE r.id = m.id
            """
        );

        var late = (await new StatusReader(archiver.Settings, archiver.Catalog, TimeProvider.System).ReadAsync(archiver.Source, Token))
            .Policies.Select(p => p.SecondsPastCutOff / 86400)
            .ToList();

        Assert.InRange(late[0]!.Value, 10, 10.1);
        Assert.InRange(late[1]!.Value, 2, 2.1);
    }

    [Fact]
    public async Task Soft_deleted_messages_wait_since_the_oldest_was_deleted_long_enough_ago()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(
            servers,
            Token,
            idle: 3,
            young: 0,
            preset: "soft-delete",
            configure: s =>
                s with
                {
                    Sources =
                    [
                        s.Sources[0] with
                        {
                            Policies =
                            [
                                s.Sources[0].Policies[0] with
                                {
                                    Action = PolicyAction.Purge,
                                    Scope = PurgeScope.Messages,
                                    IdleFor = null,
                                    DeletedFor = TimeSpan.FromDays(7),
                                },
                            ],
                        },
                    ],
                }
        );
        await archiver.Database.ExecuteAsync(
            "UPDATE chat_sessions SET deleted_at = NULL; UPDATE chat_messages SET deleted_at = now() - interval '12 days'"
        );

        Assert.InRange((await ReadAsync(archiver)).SecondsPastCutOff!.Value / 86400, 4.9, 5.1);
    }

    private static Policy Parts(string name) =>
        new()
        {
            Source = "main",
            Name = name,
            Action = PolicyAction.Archive,
            Scope = PurgeScope.Messages,
        };

    private static async Task<PolicyStatus> ReadAsync(ArchiverFixture archiver) =>
        (await new StatusReader(archiver.Settings, archiver.Catalog, TimeProvider.System).ReadAsync(archiver.Source, Token)).Policies[0];

    private static async Task<string?> SuccessAsync(ArchiverFixture archiver) =>
        (await ReadAsync(archiver)).LastSuccess?.UtcDateTime.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);

    private static Task<int> RecordAsync(
        ArchiverFixture archiver,
        string policy,
        string action,
        string state,
        int shard,
        string day,
        int shards = 2
    ) =>
        archiver.Database.ExecuteAsync(
            $"""
            INSERT INTO archiver.runs (id, source, policy, action, state, worker, shard, shards, started_at, ended_at)
            VALUES (gen_random_uuid(), 'main', '{policy}', '{action}', '{state}', 'test', {shard}, {shards}, '{day}T02:00:00Z',
              '{day}T02:00:01Z')
            """
        );
}
