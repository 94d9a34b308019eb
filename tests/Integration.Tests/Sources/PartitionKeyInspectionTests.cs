using Archiver.Core.Settings;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Sources;

public sealed class PartitionKeyInspectionTests(TestServers servers, DatabaseFixture fixture) : InspectionTests(servers, fixture)
{
    [Fact]
    public async Task Refuses_a_key_of_the_table_of_which_a_mapped_one_is_a_partition() =>
        await RefusesForGoodAsync(
            $"""
            {Partitioned.Messages}
            ALTER TABLE public.chat_messages ADD COLUMN quoted uuid CONSTRAINT quote_key REFERENCES public.chat_sessions ON DELETE CASCADE;
            CREATE INDEX ON public.chat_messages (quoted)
            """,
            WithMessages(m => m with { Table = new("public", "chat_messages_old") }),
            "\"quote_key\""
        );

    [Fact]
    public async Task Names_a_key_of_partitioned_tables_once() =>
        await RefusesForGoodAsync(
            $"""
            {Partitioned.Messages}
            CREATE TABLE public.marks (session_id uuid CONSTRAINT mark_key REFERENCES public.chat_sessions
              ON DELETE CASCADE, day date) PARTITION BY RANGE (day);
            CREATE TABLE public.marks_old PARTITION OF public.marks FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
            CREATE TABLE public.marks_new PARTITION OF public.marks DEFAULT;
            CREATE INDEX ON public.marks (session_id)
            """,
            null,
            "\"mark_key\" of table public.marks onto public.chat_sessions"
        );

    [Fact]
    public async Task Names_a_key_onto_a_partitioned_table_once() =>
        await RefusesForGoodAsync(
            $"""
            {Partitioned.Messages}
            CREATE TABLE public.marks (id bigint, at timestamptz, CONSTRAINT mark_key FOREIGN KEY (id, at) REFERENCES public.chat_messages
              ON DELETE CASCADE);
            CREATE INDEX ON public.marks (id)
            """,
            null,
            "\"mark_key\" of table public.marks onto public.chat_messages"
        );

    [Fact]
    public async Task Refuses_a_key_onto_a_single_partition() =>
        await RefusesForGoodAsync(
            $"""
            {Partitioned.Messages}
            CREATE TABLE public.marks (id bigint, at timestamptz,
              CONSTRAINT mark_key FOREIGN KEY (id, at) REFERENCES public.chat_messages_old ON DELETE CASCADE);
            CREATE INDEX ON public.marks (id)
            """,
            null,
            "\"mark_key\" of table public.marks onto public.chat_messages_old"
        );

    [Fact]
    public async Task Accepts_a_partitioned_child() => await AcceptsAsync(Partitioned.Messages);

    [Fact]
    public async Task Warns_when_only_one_partition_has_the_foreign_key() =>
        await WarnsAsync(
            $"""
            {Partitioned.Messages}
            ALTER TABLE public.chat_messages DROP CONSTRAINT message_key;
            ALTER TABLE public.chat_messages_old ADD FOREIGN KEY (session_id) REFERENCES public.chat_sessions ON DELETE CASCADE
            """,
            null,
            "late messages of an archived session become orphan rows"
        );
}
