-- Sample data for the application schema "ended-at".
--
-- Purpose  : fills public.chat_sessions and public.chat_messages.
-- Needs    : sql/schemas/ended-at.sql, and sql/samples/conversations.sql in the same connection (its settings apply).
-- Safe to re-run: yes. Sessions that are already there are left alone, and so are their messages.

WITH added AS (
  INSERT INTO public.chat_sessions (
    session_id, user_id, is_anonymous, session_title, created_at, last_activity, ended_at, message_count, metadata)
  SELECT id, user_id, user_id IS NULL, title, created_at, last_activity, ended_at, messages, metadata
  FROM sample_session
  ORDER BY key
  ON CONFLICT DO NOTHING
  RETURNING session_id
)
INSERT INTO public.chat_messages (
  session_id, role, content, timestamp, token_count, metadata)
SELECT m.session_id, m.role, m.content, m.created_at, m.token_count, m.metadata
FROM sample_message AS m
-- Hashed. As a join it was a nested loop over all that was added, for each message: the planner takes a view of functions for a few rows.
WHERE (m.session_id IN (SELECT session_id FROM added)) IS TRUE
ORDER BY m.key, m.sequence;

ANALYZE public.chat_sessions, public.chat_messages;
