namespace Archiver.Integration.Tests.Sources;

/// <summary>The messages of preset <c>ended-at</c>, partitioned by month as large applications have them.</summary>
internal static class Partitioned
{
    public const string Messages = """
        DROP TABLE public.chat_messages;
        CREATE TABLE public.chat_messages (
          id bigint NOT NULL,
          session_id uuid NOT NULL CONSTRAINT message_key REFERENCES public.chat_sessions ON DELETE CASCADE,
          timestamp timestamptz NOT NULL,
          PRIMARY KEY (id, timestamp)) PARTITION BY RANGE (timestamp);
        CREATE TABLE public.chat_messages_old PARTITION OF public.chat_messages FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
        CREATE TABLE public.chat_messages_new PARTITION OF public.chat_messages DEFAULT;
        CREATE INDEX messages_by_session ON public.chat_messages (session_id);
        """;
}
