-- More sessions out of those that the samples' generator made: copies under other keys, since only one session's text is ever compressed
-- together. A hundred times as fast as generating them. For the schema "ended-at".
--
-- Settings: bench.first (how many were generated), bench.made (how many there are), bench.count (how many to add, at most bench.first).
CREATE TEMP TABLE more AS
  SELECT s.session_id AS old, md5(s.session_id || '/' || current_setting('bench.made'))::uuid AS new, s.last_activity
  FROM (
    SELECT *
    FROM public.chat_sessions
    WHERE last_activity < now() - interval '90 days' AND session_title IS DISTINCT FROM 'copy'
    ORDER BY created_at
    LIMIT current_setting('bench.first')::bigint
  ) AS s
  LIMIT current_setting('bench.count')::bigint;

-- The times move a little, so that the order is one of all sessions.
INSERT INTO public.chat_sessions (session_id, user_id, session_title, created_at, last_activity, ended_at, metadata)
  SELECT m.new, s.user_id, 'copy', s.created_at, s.last_activity - current_setting('bench.made')::bigint * interval '1 millisecond', s.ended_at, s.metadata
  FROM more AS m JOIN public.chat_sessions AS s ON s.session_id = m.old;

INSERT INTO public.chat_messages (session_id, role, content, timestamp, token_count, metadata)
  SELECT m.new, c.role, c.content, c.timestamp - current_setting('bench.made')::bigint * interval '1 millisecond', c.token_count, c.metadata
  FROM more AS m JOIN public.chat_messages AS c ON c.session_id = m.old
  ORDER BY m.last_activity, m.new, c.id;

DROP TABLE more;
