using Archiver.Testing;

namespace Archiver.Integration.Tests.Sources;

/// <summary>Columns that look as if they pointed to sessions, in tables that nobody mapped.</summary>
public sealed class LookalikeInspectionTests(TestServers servers, DatabaseFixture fixture) : InspectionTests(servers, fixture)
{
    [Theory]
    [InlineData("CREATE TABLE public.audit (id int PRIMARY KEY, session_id uuid)", "public.audit.\"session_id\"")]
    [InlineData("CREATE TABLE public.audit (id int PRIMARY KEY, \"chatSessionId\" uuid)", "public.audit.\"chatSessionId\"")]
    [InlineData("CREATE TABLE public.audit (id int PRIMARY KEY, conversation_id uuid)", "public.audit.\"conversation_id\"")]
    [InlineData(
        "CREATE TABLE public.audit (id int, thread_id uuid) PARTITION BY HASH (id); CREATE TABLE public.audit_0 PARTITION OF "
            + "public.audit FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
        "public.audit.\"thread_id\""
    )]
    [InlineData(
        "CREATE DOMAIN public.ref AS uuid; CREATE TABLE public.audit (id int PRIMARY KEY, session_id public.ref)",
        "public.audit.\"session_id\""
    )]
    public async Task Names_a_table_that_was_forgotten(string sql, string says) =>
        await WarnsAsync(sql, null, "Named as if they pointed to sessions, and not mapped: ", says, "Tables:Children");

    [Theory]
    [InlineData("CREATE TABLE public.audit (id int PRIMARY KEY, session_id bigint)")]
    [InlineData(
        "CREATE TABLE public.logins (id uuid PRIMARY KEY); CREATE TABLE public.tokens (id int PRIMARY KEY, session_id uuid "
            + "REFERENCES public.logins)"
    )]
    [InlineData("CREATE TABLE public.audit (id int PRIMARY KEY, user_id uuid)")]
    public async Task Is_silent_about_columns_that_are_none(string sql) => await AcceptsAsync(sql);

    [Fact]
    public async Task Is_silent_about_the_ledger()
    {
        await using var database = await OwnDatabaseAsync(
            "CREATE SCHEMA archiver; CREATE TABLE archiver.archives (id int PRIMARY KEY, session_id uuid)"
        );

        Assert.Empty((await InspectAsync(database)).Warnings);
    }

    [Fact]
    public async Task Names_ten_and_counts_the_rest() =>
        await WarnsAsync(
            string.Join("; ", Enumerable.Range(10, 12).Select(i => $"CREATE TABLE public.copy_{i} (id int PRIMARY KEY, session_id uuid)")),
            null,
            "public.copy_10.\"session_id\"",
            "public.copy_19.\"session_id\" and 2 more"
        );
}
