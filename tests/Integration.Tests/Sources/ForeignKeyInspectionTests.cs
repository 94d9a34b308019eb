using Archiver.Core.Settings;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Sources;

public sealed class ForeignKeyInspectionTests(TestServers servers, DatabaseFixture fixture) : InspectionTests(servers, fixture)
{
    private const string Bookmarks = """
        CREATE TABLE public.bookmarks (id int PRIMARY KEY, message_id bigint CONSTRAINT bookmark_key REFERENCES public.chat_messages
          ON DELETE NO ACTION);
        CREATE INDEX ON public.bookmarks (message_id);
        """;

    private const string Replies = """
        ALTER TABLE public.chat_messages ADD COLUMN parent_id bigint CONSTRAINT reply_key REFERENCES public.chat_messages
          ON DELETE {0};
        CREATE INDEX ON public.chat_messages (parent_id);
        """;

    [Theory]
    [InlineData("CASCADE")]
    [InlineData("SET NULL")]
    [InlineData("SET DEFAULT")]
    public async Task Accepts_keys_among_the_rows_of_sessions_whatever_they_would_do(string action) =>
        await AcceptsAsync(
            $"""
            {Replies.Replace("{0}", action, StringComparison.Ordinal)}
            ALTER TABLE public.chat_sessions ADD COLUMN forked_from uuid REFERENCES public.chat_sessions ON DELETE {action};
            ALTER TABLE public.chat_sessions ADD COLUMN newest bigint REFERENCES public.chat_messages ON DELETE {action};
            ALTER TABLE public.chat_messages ADD COLUMN quoted_session uuid REFERENCES public.chat_sessions ON DELETE {action};
            CREATE INDEX ON public.chat_sessions (forked_from);
            CREATE INDEX ON public.chat_sessions (newest);
            CREATE INDEX ON public.chat_messages (quoted_session)
            """
        );

    // A row that stays may point to one that goes.
    [Theory]
    [InlineData(PolicyAction.Archive)]
    [InlineData(PolicyAction.Purge)]
    public async Task Refuses_a_reply_key_that_changes_other_rows_where_messages_go_alone(PolicyAction action) =>
        await RefusesForGoodAsync(
            Replies.Replace("{0}", "SET NULL", StringComparison.Ordinal) + "CREATE INDEX ON public.chat_messages (session_id, timestamp)",
            Source with
            {
                Policies =
                [
                    new()
                    {
                        Source = "main",
                        Name = "old",
                        Action = action,
                        Scope = PurgeScope.Messages,
                    },
                ],
            },
            "Foreign key \"reply_key\" of table public.chat_messages onto public.chat_messages is ON DELETE SET NULL",
            "leave such policies out"
        );

    // The table's other rows belong to no session: selection does not ask them.
    [Fact]
    public async Task Refuses_a_key_of_a_table_of_which_only_some_rows_are_mapped() =>
        await RefusesForGoodAsync(
            Replies.Replace("{0}", "CASCADE", StringComparison.Ordinal),
            WithMessages(m => m with { Where = new Dictionary<string, string> { ["role"] = "user" } }),
            "\"reply_key\""
        );

    // Another action would make the application's own deletes fail: no statement takes it away.
    [Theory]
    [InlineData("CASCADE")]
    [InlineData("SET NULL")]
    [InlineData("SET DEFAULT")]
    public async Task Refuses_an_unmapped_table_whose_rows_a_delete_would_change(string action) =>
        await RefusesForGoodAsync(
            Bookmarks.Replace("NO ACTION", action, StringComparison.Ordinal),
            null,
            $"Foreign key \"bookmark_key\" of table public.bookmarks onto public.chat_messages is ON DELETE {action}",
            "Map public.bookmarks as a child"
        );

    [Theory]
    [InlineData("NO ACTION")]
    [InlineData("RESTRICT")]
    [InlineData("NO ACTION ON UPDATE CASCADE")]
    public async Task Accepts_keys_that_only_forbid_the_delete(string action) =>
        await AcceptsAsync(Bookmarks.Replace("NO ACTION", action, StringComparison.Ordinal));

    [Fact]
    public async Task Accepts_a_second_key_that_ties_a_child_to_its_parent_by_more_columns() =>
        await AcceptsAsync(
            """
            ALTER TABLE public.chat_sessions ADD COLUMN tenant integer, ADD UNIQUE (tenant, session_id);
            ALTER TABLE public.chat_messages ADD COLUMN tenant integer;
            ALTER TABLE public.chat_messages ADD FOREIGN KEY (tenant, session_id) REFERENCES public.chat_sessions (tenant, session_id)
              ON DELETE CASCADE
            """
        );

    [Fact]
    public async Task Names_each_of_several_keys_of_one_table()
    {
        var database = await DatabaseAsync(
            """
            CREATE TABLE public.links (a uuid CONSTRAINT one REFERENCES public.chat_sessions
              ON DELETE CASCADE, b uuid CONSTRAINT two REFERENCES public.chat_sessions ON DELETE
                SET NULL, c uuid CONSTRAINT three REFERENCES public.chat_sessions);
            CREATE INDEX ON public.links (a);
            CREATE INDEX ON public.links (b);
            CREATE INDEX ON public.links (c)
            """
        );

        Assert.Collection(
            (await InspectAsync(database)).Problems,
            p => Assert.Contains("\"one\"", p, StringComparison.Ordinal),
            p => Assert.Contains("\"two\"", p, StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Warns_when_late_messages_would_become_orphan_rows() =>
        await WarnsAsync(
            "ALTER TABLE public.chat_messages DROP CONSTRAINT chat_messages_session_id_fkey",
            null,
            "Table public.chat_messages (messages) has no foreign key from \"session_id\" to \"session_id\" of public.chat_sessions",
            "late messages of an archived session become orphan rows"
        );

    [Fact]
    public async Task Warns_of_a_reply_key_that_no_index_serves() =>
        await WarnsAsync(
            "ALTER TABLE public.chat_messages ADD COLUMN parent_id bigint CONSTRAINT reply_key REFERENCES public.chat_messages",
            null,
            "No index serves foreign key \"reply_key\" of table public.chat_messages"
        );
}
