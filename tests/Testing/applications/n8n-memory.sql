-- The table of n8n's Postgres Chat Memory, as LangChain makes it, with the time that the preset asks for and 200 sessions: 1 to 150 idle.
CREATE TABLE n8n_chat_histories (id SERIAL PRIMARY KEY, session_id VARCHAR(255) NOT NULL, message JSONB NOT NULL);
ALTER TABLE public.n8n_chat_histories ADD COLUMN created_at timestamptz NOT NULL DEFAULT now();

INSERT INTO n8n_chat_histories (session_id, message, created_at)
SELECT 'session ' || n, jsonb_build_object('type', r, 'content', 'hello ' || n), now() - CASE WHEN n <= 150 THEN n + 99 ELSE 1 END * interval '1 day'
FROM generate_series(1, 200) AS n, unnest(ARRAY['human', 'ai']) AS r;
