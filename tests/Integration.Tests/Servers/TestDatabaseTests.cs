using Archiver.Testing;
using Npgsql;

namespace Archiver.Integration.Tests.Servers;

public sealed class TestDatabaseTests(TestServers servers, DatabaseFixture fixture) : IClassFixture<DatabaseFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Copies_every_value_in_full_whatever_the_server_defaults_to()
    {
        var text = await fixture.Database.CopyOutAsync(
            """
            SELECT timestamptz '2026-03-01 12:00Z', interval '1 day 2 hours', 0.1::float8 + 0.2, '\xff'::bytea, NULL, E'a\tb'
            """,
            Token
        );

        Assert.Equal("2026-03-01 12:00:00+00\t1 day 02:00:00\t0.30000000000000004\t\\\\xff\t\\N\ta\\tb\n", text);
    }

    [Fact]
    public async Task Counts_changed_rows_and_reads_scalars()
    {
        await fixture.Database.ExecuteAsync("CREATE TABLE t (i int)", Token);
        var changed = await fixture.Database.ExecuteAsync("INSERT INTO t SELECT generate_series(1, 3)", Token);

        Assert.Equal(3, changed);
        Assert.Equal(6L, await fixture.Database.ScalarAsync<long>("SELECT sum(i) FROM t", Token));
        Assert.Null(await fixture.Database.ScalarAsync<string>("SELECT NULL::text", Token));
    }

    [Fact]
    public async Task Drops_a_database_that_is_still_in_use()
    {
        NpgsqlConnection visitor;
        string name;
        await using (var database = await TestDatabase.CreateAsync(servers, Token))
        {
            visitor = new NpgsqlConnection(database.ConnectionString);
            await visitor.OpenAsync(Token);
            name = visitor.Database;
        }

        var left = await fixture.Database.ScalarAsync<long>($"SELECT count(*) FROM pg_database WHERE datname = '{name}'", Token);

        Assert.Equal(0, left);
        await visitor.DisposeAsync();
    }

    [Fact]
    public async Task Each_sample_is_a_database_of_its_own_with_the_same_rows()
    {
        const string rows = "SELECT * FROM chat_messages ORDER BY id";
        await using var changed = await servers.CreateSampleAsync("ended-at", idle: 3, young: 0, messages: 4, Token);
        var all = await changed.CopyOutAsync(rows, Token);
        await changed.ExecuteAsync("DELETE FROM chat_messages", Token);

        await using var another = await servers.CreateSampleAsync("ended-at", idle: 3, young: 0, messages: 4, Token);

        Assert.NotEqual(changed.Name, another.Name);
        Assert.Equal(12, all.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Equal(all, await another.CopyOutAsync(rows, Token));
    }

    // To the archiver a copy of a ledger would be a copy of somebody's database, in which it destroys no object.
    [Fact]
    public async Task Each_ledger_is_of_the_database_that_it_is_in()
    {
        await using var one = await servers.CreateDatabaseAsync(Token);
        await using var other = await servers.CreateDatabaseAsync(Token);

        Assert.NotEqual(await IdAsync(one), await IdAsync(other));

        static async Task<Guid> IdAsync(TestDatabase database)
        {
            Assert.Equal(database.Name, await database.ScalarAsync<string>("SELECT o.database FROM archiver.owners AS o", Token));
            return await database.ScalarAsync<Guid>("SELECT id FROM archiver.ledger", Token);
        }
    }
}
