-- Sample data for the application schema "last-accessed".
--
-- Purpose  : fills public.sessions and public.messages.
-- Needs    : sql/schemas/last-accessed.sql, and sql/samples/conversations.sql in the same connection (its settings apply).
-- Safe to re-run: yes. Sessions that are already there are left alone, and so are their messages.

WITH added AS (
  INSERT INTO public.sessions (
    id, user_id, created_at, updated_at, last_accessed, expires_at, title, metadata)
  -- Read last, changed a little earlier: when its last message but one was written.
  SELECT id, user_id, created_at, last_activity - duration / (messages + 1), last_activity, expires_at, title, metadata
  FROM sample_session
  ORDER BY key
  ON CONFLICT DO NOTHING
  RETURNING id
)
INSERT INTO public.messages (
  session_id, role, content, created_at, token_count, metadata)
SELECT m.session_id, m.role, m.content, m.created_at, m.token_count, m.metadata
FROM sample_message AS m
-- Hashed. As a join it was a nested loop over all that was added, for each message: the planner takes a view of functions for a few rows.
WHERE (m.session_id IN (SELECT id FROM added)) IS TRUE
ORDER BY m.key, m.sequence;

ANALYZE public.sessions, public.messages;
