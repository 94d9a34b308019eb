namespace Archiver.Integration.Tests.Sources;

/// <summary>Tables without keys, for a test to add its own.</summary>
internal static class KeylessTables
{
    internal const string NoKeys = """
        ALTER TABLE public.chat_messages DROP CONSTRAINT chat_messages_session_id_fkey;
        ALTER TABLE public.chat_sessions DROP CONSTRAINT chat_sessions_pkey;
        """;
}
