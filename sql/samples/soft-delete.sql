-- Sample data for the application schema "soft-delete".
--
-- Purpose  : fills public.chat_sessions and public.chat_messages.
-- Needs    : sql/schemas/soft-delete.sql, and sql/samples/conversations.sql in the same connection (its settings apply).
-- Safe to re-run: yes. Sessions that are already there are left alone, and so are their messages.

WITH added AS (
  INSERT INTO public.chat_sessions (
    id, user_id, title, created_at, last_activity, deleted_at, settings, metadata)
  SELECT id, user_id, title, created_at, last_activity AT TIME ZONE 'UTC', deleted_at,
         -- Text that jsonb would not keep: blanks, line breaks, the order of keys, a key twice.
         E'{"theme":  "dark",\n "zoom": 1.50, "a": 1, "a": 2}'::json,
         metadata::json
  FROM sample_session
  ORDER BY key
  ON CONFLICT DO NOTHING
  RETURNING id
)
INSERT INTO public.chat_messages (
  id, session_id, sequence, timestamp, role, content, tool_calls, metadata, deleted_at)
SELECT md5('archiver sample message ' || m.message_key)::uuid,
       m.session_id, m.sequence, m.created_at AT TIME ZONE 'UTC', m.role, m.content,
       CASE m.role
         WHEN 'tool' THEN json_build_array(json_build_object('name', 'lookup', 'arguments', '{"q": "größe"}'))
       END,
       m.metadata::json,
       m.deleted_at
FROM sample_message AS m
-- Hashed. As a join it was a nested loop over all that was added, for each message: the planner takes a view of functions for a few rows.
WHERE (m.session_id IN (SELECT id FROM added)) IS TRUE
ORDER BY m.key, m.sequence;

ANALYZE public.chat_sessions, public.chat_messages;
