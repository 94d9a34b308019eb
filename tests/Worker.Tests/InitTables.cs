namespace Archiver.Worker.Tests;

/// <summary>A database with two chats, of which one is meant.</summary>
internal static class InitTables
{
    internal const string TwoChats = """
        CREATE TABLE chats (id int PRIMARY KEY, user_id text, updated_at timestamptz NOT NULL);
        CREATE TABLE messages (id int PRIMARY KEY, chat_id int NOT NULL REFERENCES chats, role text, content text,
          created_at timestamptz NOT NULL);
        CREATE TABLE threads (id int PRIMARY KEY, user_id text, updated_at timestamptz NOT NULL);
        CREATE TABLE thread_messages (id int PRIMARY KEY, thread_id int NOT NULL REFERENCES threads, role text, content text,
          created_at timestamptz NOT NULL);
        """;
}
