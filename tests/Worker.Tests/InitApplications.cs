namespace Archiver.Worker.Tests;

/// <summary>
/// Databases as applications make them that no preset knows, with old and young sessions; and what the applications themselves do.
/// </summary>
internal static class InitApplications
{
    /// <summary>
    /// Chatbot UI on Supabase (its migrations 20240108234548 and 20240108234549): keys that cascade, row level security, an updated_at that
    /// may be NULL, logins beside it.
    /// </summary>
    public const string ChatbotUi = """
        CREATE SCHEMA auth;
        CREATE TABLE auth.users (id uuid PRIMARY KEY);
        CREATE TABLE auth.sessions (id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES auth.users
          ON DELETE CASCADE, created_at timestamptz, updated_at timestamptz, user_agent text);
        CREATE TABLE auth.refresh_tokens (id bigserial PRIMARY KEY, token text, session_id uuid REFERENCES auth.sessions
          ON DELETE CASCADE, created_at timestamptz);
        CREATE TABLE workspaces (id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES auth.users
          ON DELETE CASCADE, name text NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz);
        CREATE TABLE files (id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES auth.users
          ON DELETE CASCADE, name text, created_at timestamptz NOT NULL);
        CREATE TABLE file_items (id uuid PRIMARY KEY, file_id uuid NOT NULL REFERENCES files
          ON DELETE CASCADE, content text NOT NULL, created_at timestamptz NOT NULL);
        CREATE TABLE chats (id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES auth.users
          ON DELETE CASCADE, workspace_id uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
          created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz, sharing text NOT NULL DEFAULT 'private',
            name text NOT NULL, prompt text NOT NULL, temperature real NOT NULL);
        CREATE TABLE chat_files (user_id uuid NOT NULL REFERENCES auth.users ON DELETE CASCADE, chat_id uuid NOT NULL REFERENCES chats
          ON DELETE CASCADE,
          file_id uuid NOT NULL REFERENCES files
            ON DELETE CASCADE, created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz, PRIMARY KEY (chat_id, file_id));
        CREATE TABLE messages (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), chat_id uuid NOT NULL REFERENCES chats
          ON DELETE CASCADE, user_id uuid NOT NULL REFERENCES auth.users ON DELETE CASCADE,
          created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz, content text NOT NULL, image_paths text[] NOT NULL,
            role text NOT NULL, sequence_number int NOT NULL);
        CREATE TABLE message_file_items (user_id uuid NOT NULL REFERENCES auth.users
          ON DELETE CASCADE, message_id uuid NOT NULL REFERENCES messages ON DELETE CASCADE,
          file_item_id uuid NOT NULL REFERENCES file_items
            ON DELETE CASCADE, created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (message_id, file_item_id));
        ALTER TABLE chats ENABLE ROW LEVEL SECURITY; ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
        CREATE POLICY shared ON chats FOR SELECT USING (sharing <> 'private');
        CREATE FUNCTION id(kind int,
          n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT ('00000000-0000-4000-' || lpad(kind::text, 4, '0') || '-' || lpad(n::text,
            12, '0'))::uuid $$;
        INSERT INTO auth.users SELECT id(1, i) FROM generate_series(1, 3) i;
        INSERT INTO auth.sessions SELECT id(2, i), id(1, i), now(), now(), 'browser' FROM generate_series(1, 3) i;
        INSERT INTO workspaces SELECT id(3, i), id(1, i), 'home', now(), NULL FROM generate_series(1, 3) i;
        INSERT INTO files SELECT id(4, i), id(1, i), 'file', now() FROM generate_series(1, 3) i;
        INSERT INTO file_items SELECT id(5, i), id(4, i), 'item', now() FROM generate_series(1, 3) i;
        INSERT INTO chats SELECT id(6, i), id(1, 1 + i % 3), id(3, 1 + i % 3), now() - age, CASE WHEN i % 2 = 0
          THEN now() - age END, 'private', 'chat ' || i, 'you are', 0.1
          FROM generate_series(1, 12) i, LATERAL (SELECT CASE WHEN i <= 8 THEN interval '200 days' ELSE interval '3 days' END) AS a (age);
        INSERT INTO chat_files SELECT user_id, id, id(4, 1), created_at, NULL FROM chats;
        INSERT INTO messages SELECT id(7, m * 100 + i), c.id, c.user_id, c.created_at, NULL, 'hello ' || i, ARRAY['a.png', 'b "c".png'],
          'user', m
          FROM generate_series(1, 12) i JOIN chats c ON c.id = id(6, i), generate_series(1, 3) m;
        INSERT INTO message_file_items SELECT user_id, id, id(5, 1), created_at FROM messages WHERE sequence_number = 1;
        """;

    /// <summary>What its interface does: a new chat with a message, and the end of an old one.</summary>
    public const string ChatbotUiWrites = """
        INSERT INTO chats (id, user_id, workspace_id, name, prompt, temperature)
          VALUES (id(6, 99), id(1, 1), id(3, 1), 'new', 'you are', 1);
        INSERT INTO messages (chat_id, user_id, content, image_paths, role, sequence_number)
          VALUES (id(6, 99), id(1, 1), 'hi', '{}', 'user', 1);
        DELETE FROM chats WHERE id = id(6, 99);
        DELETE FROM chats WHERE id = id(6, 12);
        """;

    /// <summary>
    /// Mastra's PostgreSQL store (packages/core/src/storage/constants.ts): no foreign keys, names with capitals, local times, a table of
    /// scores that only names threads.
    /// </summary>
    public const string Mastra = """
        CREATE TABLE mastra_threads (id text PRIMARY KEY, "resourceId" text NOT NULL, title text NOT NULL, metadata jsonb,
          "createdAt" timestamp NOT NULL, "updatedAt" timestamp NOT NULL);
        CREATE TABLE mastra_messages (id text PRIMARY KEY, thread_id text NOT NULL, content text NOT NULL, role text NOT NULL,
          type text NOT NULL, "createdAt" timestamp NOT NULL, "resourceId" text);
        CREATE TABLE mastra_resources (id text PRIMARY KEY, "workingMemory" text, metadata jsonb, "createdAt" timestamp NOT NULL,
          "updatedAt" timestamp NOT NULL);
        CREATE TABLE mastra_scorers (id text PRIMARY KEY, "runId" text NOT NULL, score double precision NOT NULL, "threadId" text,
          "createdAt" timestamp NOT NULL);
        CREATE TABLE mastra_workflow_snapshot (workflow_name text NOT NULL, run_id text NOT NULL, "resourceId" text,
          snapshot jsonb NOT NULL, "createdAt" timestamp NOT NULL, UNIQUE (workflow_name, run_id));
        INSERT INTO mastra_threads SELECT 't' || i, 'u' || i % 3, 'thread ' || i, '{"a": 1}', at, at
          FROM generate_series(1, 12) i, LATERAL (SELECT (now() AT TIME ZONE 'UTC') - CASE WHEN i <= 8 THEN interval '200 days'
            ELSE interval '3 days' END) AS a (at);
        INSERT INTO mastra_messages SELECT 'm' || m || '-' || t.id, t.id, 'hello', 'user', 'v2', t."createdAt", t."resourceId"
          FROM mastra_threads t, generate_series(1, 3) m;
        INSERT INTO mastra_scorers SELECT 's' || id, 'r', 0.5, id, "createdAt" FROM mastra_threads;
        """;

    /// <summary>What its memory does: deleteThread takes the messages first; saveMessages may come before saveThread.</summary>
    public const string MastraWrites = """
        INSERT INTO mastra_messages VALUES ('m-new', 't-new', 'hi', 'user', 'v2', now(), 'u1');
        INSERT INTO mastra_threads VALUES ('t-new', 'u1', 'new', NULL, now(), now());
        DELETE FROM mastra_threads WHERE id = 't-new';
        DELETE FROM mastra_messages WHERE thread_id = 't-new';
        DELETE FROM mastra_messages WHERE thread_id = 't12';
        DELETE FROM mastra_threads WHERE id = 't12';
        """;

    /// <summary>LangChain's history in a table of its own, with the time that a careful user adds: sessions have no row.</summary>
    public const string SessionsWithoutARow = """
        CREATE TABLE message_store (id serial PRIMARY KEY, session_id text NOT NULL, message jsonb NOT NULL,
          created_at timestamptz NOT NULL DEFAULT now());
        INSERT INTO message_store (session_id, message, created_at) SELECT 's' || i, '{"type": "human", "n": 1.50}',
          now() - CASE WHEN i <= 8 THEN interval '200 days' ELSE interval '3 days' END
          FROM generate_series(1, 12) i, generate_series(1, 3);
        """;

    public const string SessionsWithoutARowWrites = """
        INSERT INTO message_store (session_id, message) VALUES ('new', '{}'), ('s1', '{}');
        DELETE FROM message_store WHERE session_id IN ('new', 's12');
        """;

    /// <summary>
    /// Open WebUI's shape without what tells its version: the messages stand in the chat's row, times are seconds, tags point to it by
    /// name.
    /// </summary>
    public const string ChatsInOneRow = """
        CREATE TABLE "user" (id text PRIMARY KEY, name text, created_at bigint, updated_at bigint, last_active_at bigint);
        CREATE TABLE channel (id text PRIMARY KEY, user_id text, name text, created_at bigint, updated_at bigint);
        CREATE TABLE message (id text PRIMARY KEY, user_id text, channel_id text, content text, created_at bigint, updated_at bigint);
        CREATE TABLE chat (id text PRIMARY KEY, user_id text, title text, created_at bigint, updated_at bigint, chat json);
        CREATE TABLE chat_tag (id text PRIMARY KEY, chat_id text, tag text);
        INSERT INTO chat SELECT 'c' || i, 'u' || i % 3, 'chat ' || i, at, at, '{"messages": [{"n": 1.50}]}'
          FROM generate_series(1, 12) i, LATERAL (SELECT extract(epoch FROM now() - CASE WHEN i <= 8 THEN interval '200 days'
            ELSE interval '3 days' END)::bigint) AS a (at);
        INSERT INTO chat_tag SELECT 'g' || id, id, 'x' FROM chat;
        """;

    public const string ChatsInOneRowWrites = """
        INSERT INTO chat VALUES ('new', 'u1', 'new', extract(epoch FROM now()), extract(epoch FROM now()), '{}');
        UPDATE chat SET updated_at = extract(epoch FROM now()) WHERE id = 'c12';
        DELETE FROM chat WHERE id IN ('new', 'c12');
        DELETE FROM chat_tag WHERE chat_id = 'c12';
        """;

    /// <summary>A chat of many tenants: every key begins with the tenant, and an id is unique within it only.</summary>
    public const string Tenants = """
        CREATE TABLE conversations (tenant_id int NOT NULL, id int NOT NULL, user_id text, title text, created_at timestamptz NOT NULL,
          updated_at timestamptz NOT NULL, PRIMARY KEY (tenant_id, id));
        CREATE TABLE messages (tenant_id int NOT NULL, conversation_id int NOT NULL, number int NOT NULL, role text NOT NULL,
          content text NOT NULL, created_at timestamptz NOT NULL,
          PRIMARY KEY (tenant_id, conversation_id, number), FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversations
            ON DELETE CASCADE);
        CREATE TABLE message_attachments (tenant_id int NOT NULL, conversation_id int NOT NULL, message int NOT NULL, name text NOT NULL,
          PRIMARY KEY (tenant_id, conversation_id, message, name), FOREIGN KEY (tenant_id, conversation_id, message) REFERENCES messages
            ON DELETE CASCADE);
        INSERT INTO conversations SELECT 1 + i % 2, 1 + i / 2, 'u' || i % 3, 'chat ' || i, at, at
          FROM generate_series(0, 11) i, LATERAL (SELECT now() - CASE WHEN i < 8 THEN interval '200 days'
            ELSE interval '3 days' END) AS a (at);
        INSERT INTO messages SELECT tenant_id, id, n, 'user', 'hello', created_at FROM conversations, generate_series(1, 3) n;
        INSERT INTO message_attachments SELECT tenant_id, conversation_id, number, 'a.png' FROM messages WHERE number = 1;
        """;

    public const string TenantsWrites = """
        INSERT INTO conversations VALUES (3, 1, 'u', 'new', now(), now());
        INSERT INTO messages VALUES (3, 1, 1, 'user', 'hello', now());
        DELETE FROM conversations WHERE (tenant_id, id) IN ((3, 1), (1, 1));
        """;
}
