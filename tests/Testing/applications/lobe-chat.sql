-- LobeChat's tables of a topic, as its schema and migrations have them, and of what these point to the columns that matter. 200 topics: 1 to 150 idle.
CREATE TABLE users (id text PRIMARY KEY, username text UNIQUE, email text UNIQUE);
CREATE TABLE agents (id text PRIMARY KEY, user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE);
CREATE TABLE chat_groups (id text PRIMARY KEY, title text, user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE);
CREATE TABLE sessions (id text PRIMARY KEY, slug varchar(100) NOT NULL, title text, user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE);
CREATE TABLE files (id text PRIMARY KEY, user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE, name text NOT NULL);
CREATE TABLE documents (id varchar(255) PRIMARY KEY, title text, user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE);
CREATE TABLE chunks (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), text text, user_id text REFERENCES users (id) ON DELETE CASCADE);
CREATE TABLE embeddings (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(), chunk_id uuid UNIQUE REFERENCES chunks (id) ON DELETE CASCADE, user_id text REFERENCES users (id) ON DELETE CASCADE);
CREATE TABLE topics (
  id text PRIMARY KEY, title text, favorite boolean DEFAULT false, session_id text REFERENCES sessions (id) ON DELETE CASCADE, content text, editor_data jsonb,
  agent_id text REFERENCES agents (id) ON DELETE CASCADE, group_id text REFERENCES chat_groups (id) ON DELETE CASCADE,
  user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE, client_id text, history_summary text, metadata jsonb,
  accessed_at timestamptz NOT NULL DEFAULT now(), created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
CREATE UNIQUE INDEX topics_client_id_user_id_unique ON topics (client_id, user_id);
CREATE INDEX topics_user_id_idx ON topics (user_id);
CREATE INDEX topics_id_user_id_idx ON topics (id, user_id);
CREATE INDEX topics_session_id_idx ON topics (session_id);
CREATE INDEX topics_group_id_idx ON topics (group_id);
CREATE INDEX topics_agent_id_idx ON topics (agent_id);
CREATE TABLE threads (
  id text PRIMARY KEY, title text, content text, editor_data jsonb, type text NOT NULL, status text, topic_id text NOT NULL REFERENCES topics (id) ON DELETE CASCADE,
  source_message_id text, parent_thread_id text REFERENCES threads (id) ON DELETE SET NULL, client_id text, user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  last_active_at timestamptz DEFAULT now(), accessed_at timestamptz NOT NULL DEFAULT now(), created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
CREATE UNIQUE INDEX threads_client_id_user_id_unique ON threads (client_id, user_id);
CREATE INDEX threads_topic_id_idx ON threads (topic_id);
CREATE TABLE messages (
  id text PRIMARY KEY, role varchar(255) NOT NULL, content text, editor_data jsonb, reasoning jsonb, search jsonb, metadata jsonb, model text, provider text, favorite boolean DEFAULT false,
  error jsonb, tools jsonb, trace_id text, observation_id text, client_id text, user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  session_id text REFERENCES sessions (id) ON DELETE CASCADE, topic_id text REFERENCES topics (id) ON DELETE CASCADE, thread_id text REFERENCES threads (id) ON DELETE CASCADE,
  parent_id text REFERENCES messages (id) ON DELETE SET NULL, quota_id text REFERENCES messages (id) ON DELETE SET NULL,
  agent_id text REFERENCES agents (id) ON DELETE CASCADE, group_id text REFERENCES chat_groups (id) ON DELETE SET NULL, target_id text, message_group_id varchar(255),
  accessed_at timestamptz NOT NULL DEFAULT now(), created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX messages_created_at_idx ON messages (created_at);
CREATE UNIQUE INDEX message_client_id_user_unique ON messages (client_id, user_id);
CREATE INDEX messages_topic_id_idx ON messages (topic_id);
CREATE INDEX messages_parent_id_idx ON messages (parent_id);
CREATE INDEX messages_quota_id_idx ON messages (quota_id);
CREATE INDEX messages_user_id_idx ON messages (user_id);
CREATE INDEX messages_session_id_idx ON messages (session_id);
CREATE INDEX messages_thread_id_idx ON messages (thread_id);
CREATE INDEX messages_agent_id_idx ON messages (agent_id);
CREATE INDEX messages_group_id_idx ON messages (group_id);
CREATE TABLE message_groups (
  id varchar(255) PRIMARY KEY, topic_id text REFERENCES topics (id) ON DELETE CASCADE, user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  parent_group_id varchar(255) REFERENCES message_groups (id) ON DELETE CASCADE, parent_message_id text REFERENCES messages (id) ON DELETE CASCADE, title varchar(255), description text,
  client_id varchar(255), accessed_at timestamptz NOT NULL DEFAULT now(), created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
CREATE UNIQUE INDEX message_groups_client_id_user_id_unique ON message_groups (client_id, user_id);
CREATE INDEX message_groups_topic_id_idx ON message_groups (topic_id);
ALTER TABLE messages ADD CONSTRAINT messages_message_group_id_message_groups_id_fk FOREIGN KEY (message_group_id) REFERENCES message_groups (id) ON DELETE CASCADE;
CREATE TABLE message_plugins (
  id text PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE, tool_call_id text, type text DEFAULT 'default', intervention jsonb, api_name text, arguments text, identifier text,
  state jsonb, error jsonb, client_id text, user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE);
CREATE UNIQUE INDEX message_plugins_client_id_user_id_unique ON message_plugins (client_id, user_id);
CREATE TABLE message_tts (
  id text PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE, content_md5 text, file_id text REFERENCES files (id) ON DELETE CASCADE, voice text, client_id text,
  user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE);
CREATE UNIQUE INDEX message_tts_client_id_user_id_unique ON message_tts (client_id, user_id);
CREATE TABLE message_translates (
  id text PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE, content text, "from" text, "to" text, client_id text, user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE);
CREATE UNIQUE INDEX message_translates_client_id_user_id_unique ON message_translates (client_id, user_id);
CREATE TABLE messages_files (
  file_id text NOT NULL REFERENCES files (id) ON DELETE CASCADE, message_id text NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE, PRIMARY KEY (file_id, message_id));
CREATE TABLE message_queries (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(), message_id text NOT NULL REFERENCES messages (id) ON DELETE CASCADE, rewrite_query text, user_query text, client_id text,
  user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE, embeddings_id uuid REFERENCES embeddings (id) ON DELETE SET NULL);
CREATE UNIQUE INDEX message_queries_client_id_user_id_unique ON message_queries (client_id, user_id);
CREATE TABLE message_query_chunks (
  id text REFERENCES messages (id) ON DELETE CASCADE, query_id uuid REFERENCES message_queries (id) ON DELETE CASCADE, chunk_id uuid REFERENCES chunks (id) ON DELETE CASCADE,
  similarity numeric(6,5), user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE, PRIMARY KEY (chunk_id, id, query_id));
CREATE TABLE message_chunks (
  message_id text REFERENCES messages (id) ON DELETE CASCADE, chunk_id uuid REFERENCES chunks (id) ON DELETE CASCADE, user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  PRIMARY KEY (chunk_id, message_id));
CREATE TABLE topic_documents (
  document_id varchar(255) NOT NULL REFERENCES documents (id) ON DELETE CASCADE, topic_id text NOT NULL REFERENCES topics (id) ON DELETE CASCADE,
  user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE, created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (document_id, topic_id));

INSERT INTO users VALUES ('user_1', 'ada', 'ada@example.com');
INSERT INTO agents VALUES ('agt_1', 'user_1');
INSERT INTO sessions VALUES ('ssn_1', 'inbox', 'Inbox', 'user_1');
INSERT INTO files VALUES ('file_1', 'user_1', 'a.pdf');
INSERT INTO documents VALUES ('docs_1', 'A', 'user_1');
INSERT INTO chunks (id, text, user_id) VALUES ('11111111-1111-1111-1111-111111111111', 'a chunk', 'user_1');
INSERT INTO embeddings (id, chunk_id, user_id) VALUES ('22222222-2222-2222-2222-222222222222', '11111111-1111-1111-1111-111111111111', 'user_1');
INSERT INTO topics (id, title, session_id, agent_id, user_id, client_id, metadata, accessed_at, created_at, updated_at)
SELECT 'tpc_' || n, 'Topic ' || n, 'ssn_1', 'agt_1', 'user_1', 'c' || n, '{"model": "gpt-4o"}', at, at, at
FROM (SELECT n, now() - CASE WHEN n <= 150 THEN n + 99 ELSE 1 END * interval '1 day' AS at FROM generate_series(1, 200) AS n) AS t;
-- A thread, a thread that branches off it, and five messages: each replies to the one before, the third quotes the first, the fourth and fifth are in the threads.
INSERT INTO threads (id, type, status, topic_id, source_message_id, user_id, last_active_at, accessed_at, created_at, updated_at)
SELECT 'thd_' || id || '_' || i, 'continuation', 'active', id, 'msg_' || id || '_3', 'user_1', created_at, created_at, created_at, created_at FROM topics, generate_series(1, 2) AS i;
UPDATE threads SET parent_thread_id = 'thd_' || topic_id || '_1' WHERE id LIKE '%\_2';
INSERT INTO messages (id, role, content, reasoning, tools, user_id, session_id, topic_id, thread_id, agent_id, accessed_at, created_at, updated_at)
SELECT 'msg_' || id || '_' || i, CASE i % 2 WHEN 0 THEN 'assistant' ELSE 'user' END, 'Message ' || i || ' é', '{"content": "…"}', CASE i WHEN 2 THEN '[{"id": "call_1"}]'::jsonb END, 'user_1',
  'ssn_1', id, CASE WHEN i > 3 THEN 'thd_' || id || '_' || i - 3 END, 'agt_1', created_at, created_at + i * interval '1 s', created_at FROM topics, generate_series(1, 5) AS i;
UPDATE messages SET parent_id = left(id, -1) || right(id, 1)::int - 1 WHERE right(id, 2) <> '_1';
UPDATE messages SET quota_id = left(id, -1) || '1' WHERE right(id, 2) = '_3';
-- A circle: a group of answers belongs to the first message, and the second message to the group; a group within it.
INSERT INTO message_groups (id, topic_id, user_id, parent_message_id, title, accessed_at, created_at, updated_at)
SELECT 'mg_' || id || '_' || i, id, 'user_1', 'msg_' || id || '_1', 'Answers', created_at, created_at, created_at FROM topics, generate_series(1, 2) AS i;
UPDATE message_groups SET parent_group_id = 'mg_' || topic_id || '_1' WHERE id LIKE '%\_2';
UPDATE messages SET message_group_id = 'mg_' || topic_id || '_1' WHERE right(id, 2) = '_2';
INSERT INTO message_plugins (id, tool_call_id, api_name, arguments, identifier, state, user_id)
SELECT id, 'call_1', 'search', '{"q":  "x"}', 'web', '{"ok": true}', 'user_1' FROM messages WHERE right(id, 2) = '_2';
INSERT INTO message_tts (id, content_md5, file_id, voice, user_id) SELECT id, md5(content), 'file_1', 'alloy', 'user_1' FROM messages WHERE right(id, 2) = '_2';
INSERT INTO message_translates (id, content, "from", "to", user_id) SELECT id, 'Nachricht', 'en', 'de', 'user_1' FROM messages WHERE right(id, 2) = '_1';
INSERT INTO messages_files SELECT 'file_1', id, 'user_1' FROM messages WHERE right(id, 2) = '_1';
INSERT INTO message_queries (message_id, rewrite_query, user_query, user_id, embeddings_id)
SELECT id, 'x', 'y', 'user_1', '22222222-2222-2222-2222-222222222222' FROM messages WHERE right(id, 2) = '_1';
INSERT INTO message_query_chunks SELECT message_id, id, '11111111-1111-1111-1111-111111111111', 0.87654, 'user_1' FROM message_queries;
INSERT INTO message_chunks SELECT id, '11111111-1111-1111-1111-111111111111', 'user_1' FROM messages WHERE right(id, 2) = '_1';
INSERT INTO topic_documents SELECT 'docs_1', id, 'user_1', created_at FROM topics;
-- Topics 1 and 2 stay: a message of a live topic quotes one of the first, and one of no topic replies to one of the second. Topics 3 and 4 point to each other and go.
UPDATE messages SET quota_id = 'msg_tpc_1_1' WHERE id = 'msg_tpc_200_5';
INSERT INTO messages (id, role, content, user_id, session_id, parent_id) VALUES ('msg_0', 'user', 'of the inbox', 'user_1', 'ssn_1', 'msg_tpc_2_5');
UPDATE messages SET quota_id = CASE topic_id WHEN 'tpc_3' THEN 'msg_tpc_4_1' ELSE 'msg_tpc_3_1' END WHERE id IN ('msg_tpc_3_5', 'msg_tpc_4_5');
