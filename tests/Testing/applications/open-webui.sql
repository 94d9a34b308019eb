-- Open WebUI's tables of a chat, as its models and migrations make them, with 200 chats: 1 to 150 idle.
CREATE TABLE "user" (id varchar PRIMARY KEY, name varchar);
CREATE TABLE file (id text PRIMARY KEY, user_id text, filename text);
CREATE TABLE chat (
  id varchar(255) NOT NULL PRIMARY KEY, user_id varchar(255), title text, chat json, created_at bigint, updated_at bigint, share_id text UNIQUE, archived boolean, pinned boolean,
  meta json DEFAULT '{}', variables json, folder_id text, tasks json, summary text, current_message_id text, last_read_at bigint, timer_at bigint);
CREATE INDEX ix_chat_user_id ON chat (user_id);
CREATE INDEX ix_chat_created_at ON chat (created_at);
CREATE INDEX ix_chat_updated_at ON chat (updated_at);
CREATE INDEX folder_id_idx ON chat (folder_id);
CREATE INDEX user_id_pinned_idx ON chat (user_id, pinned);
CREATE INDEX user_id_archived_idx ON chat (user_id, archived);
CREATE INDEX updated_at_user_id_idx ON chat (updated_at, user_id);
CREATE INDEX folder_id_user_id_idx ON chat (folder_id, user_id);
CREATE INDEX timer_at_idx ON chat (timer_at) WHERE timer_at IS NOT NULL;
CREATE TABLE chat_message (
  id text NOT NULL PRIMARY KEY, chat_id text NOT NULL REFERENCES chat (id) ON DELETE CASCADE, user_id text, role text NOT NULL, parent_id text, content json, output json, model_id text,
  files json, sources json, embeds json, meta json, done boolean, status_history json, error json, usage json, context_summary text, created_at bigint, updated_at bigint);
CREATE INDEX ix_chat_message_chat_id ON chat_message (chat_id);
CREATE INDEX ix_chat_message_user_id ON chat_message (user_id);
CREATE INDEX ix_chat_message_model_id ON chat_message (model_id);
CREATE INDEX ix_chat_message_created_at ON chat_message (created_at);
CREATE INDEX chat_message_chat_parent_idx ON chat_message (chat_id, parent_id);
CREATE INDEX chat_message_model_created_idx ON chat_message (model_id, created_at);
CREATE INDEX chat_message_user_created_idx ON chat_message (user_id, created_at);
CREATE TABLE chat_file (
  id text NOT NULL PRIMARY KEY, user_id text NOT NULL, chat_id text NOT NULL REFERENCES chat (id) ON DELETE CASCADE, message_id text,
  file_id text NOT NULL REFERENCES file (id) ON DELETE CASCADE, created_at bigint NOT NULL, updated_at bigint NOT NULL, CONSTRAINT uq_chat_file_chat_file UNIQUE (chat_id, file_id));
CREATE TABLE shared_chat (
  id text PRIMARY KEY, chat_id text NOT NULL REFERENCES chat (id) ON DELETE CASCADE, user_id text NOT NULL, title text, chat json, created_at bigint, updated_at bigint);

INSERT INTO file VALUES ('file', 'u1', 'a.pdf');
INSERT INTO chat (id, user_id, title, chat, created_at, updated_at, archived, pinned)
SELECT 'c' || n, 'u' || n % 5, 'Chat ' || n, '{"history":  {"messages": {}, "currentId": null}, "models": ["llama"]}', at, at, n % 10 = 0, false
FROM (SELECT n, extract(epoch FROM now() - CASE WHEN n <= 150 THEN n + 99 ELSE 1 END * interval '1 day')::bigint AS at FROM generate_series(1, 200) AS n) AS t;
INSERT INTO chat_message (id, chat_id, user_id, role, content, model_id, done, created_at, updated_at)
SELECT id || '-' || r, id, user_id, r, to_json('Hello " ' || r), CASE r WHEN 'assistant' THEN 'llama' END, true, created_at, updated_at FROM chat, unnest(ARRAY['user', 'assistant']) AS r;
INSERT INTO chat_file SELECT 'f' || id, user_id, id, NULL, 'file', created_at, updated_at FROM chat;
INSERT INTO shared_chat SELECT 's' || id, id, user_id, title, chat, created_at, updated_at FROM chat WHERE id LIKE '%7';
