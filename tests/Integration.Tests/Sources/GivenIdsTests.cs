using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Sources;

/// <summary>What people type is read as the column's type reads it, and what is no value of it is said.</summary>
public sealed class GivenIdsTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("uuid", "ABCDEF00-0000-0000-0000-0000000000AA", "abcdef00-0000-0000-0000-0000000000aa")]
    [InlineData("uuid", "{abcdef00-0000-0000-0000-0000000000aa}", "abcdef00-0000-0000-0000-0000000000aa")]
    [InlineData("uuid", "nobody", null)]
    [InlineData("int", "04711", "4711")]
    [InlineData("bigint", " +4711 ", "4711")]
    [InlineData("smallint", "40000", null)]
    [InlineData("bigint", "4711.5", null)]
    [InlineData("text", "04711", "04711")]
    [InlineData("varchar(5)", "alice", "alice")]
    [InlineData("varchar(5)", "alice2", null)]
    [InlineData("char(5)", "al", "al")]
    [InlineData("char(5)", "alice2", null)]
    [InlineData("numeric(8,2)", "4711", "4711.00")]
    [InlineData("numeric(8,2)", "4711.001", null)]
    [InlineData("short", "alice", "alice")]
    [InlineData("short", "alice2", null)]
    [InlineData("mood", "glad", "glad")]
    [InlineData("mood", "sad", null)]
    public async Task Reads_an_id_as_its_column_does(string type, string given, string? expected)
    {
        await using var db = await TestDatabase.CreateAsync(servers, Token);
        await db.ExecuteAsync(
            $"CREATE DOMAIN short AS varchar(5); CREATE TYPE mood AS ENUM ('glad'); CREATE TABLE chats (id uuid PRIMARY KEY, owner {type})",
            Token
        );
        await using var connection = await db.DataSource.OpenConnectionAsync(Token);
        var ids = new GivenIds(
            connection,
            new(
                new()
                {
                    Table = new("public", "chats"),
                    Key = "id",
                    Activity = ["id"],
                    User = "owner",
                },
                []
            )
        );

        if (expected is not null)
        {
            Assert.Equal(expected, await ids.UserAsync("main", given, Token));
            return;
        }
        var refused = await Assert.ThrowsAsync<ArchiverException>(() => ids.UserAsync("main", given, Token));
        Assert.Equal(FailureKind.Configuration, refused.Kind);
        Assert.Contains($"'{given}' is no value of public.chats.", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Takes_an_id_as_it_is_where_the_table_is_not_there()
    {
        await using var db = await TestDatabase.CreateAsync(servers, Token);
        await using var connection = await db.DataSource.OpenConnectionAsync(Token);

        Assert.Equal(
            "ABC",
            await new GivenIds(
                connection,
                new(
                    new()
                    {
                        Table = new("public", "chats"),
                        Key = "id",
                        Activity = ["id"],
                    },
                    []
                )
            ).KeyAsync("ABC", Token)
        );
    }
}
