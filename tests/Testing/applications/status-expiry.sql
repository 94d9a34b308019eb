-- The tables and functions of the system "status-expiry" as its owner's document has them, with 40 sessions: 1 to 30 idle. Without pgvector the
-- embedding is an array, and its index is left out.
CREATE TABLE sessions (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    session_id TEXT UNIQUE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    expires_at TIMESTAMP WITH TIME ZONE,
    message_count INTEGER DEFAULT 0,
    total_tokens INTEGER DEFAULT 0,
    meta JSONB DEFAULT '{}'::jsonb,
    status TEXT DEFAULT 'active' CHECK (status IN ('active', 'archived', 'expired'))
);
DO $vector$
DECLARE
  type text := 'real[]';
BEGIN
  IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') THEN
    CREATE EXTENSION IF NOT EXISTS vector;
    type := 'vector(1536)';
  END IF;
  EXECUTE format($create$
    CREATE TABLE messages (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        session_id UUID NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
        role TEXT NOT NULL CHECK (role IN ('user', 'assistant', 'system')),
        content TEXT NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
        token_count INTEGER,
        embedding %s,
        meta JSONB DEFAULT '{}'::jsonb
    )
    $create$, type);
  IF type = 'vector(1536)' THEN
    CREATE INDEX idx_messages_embedding_hnsw ON messages
        USING hnsw (embedding vector_cosine_ops)
        WITH (m = 16, ef_construction = 64);
  END IF;
END
$vector$;
CREATE INDEX idx_sessions_session_id ON sessions(session_id);
CREATE INDEX idx_sessions_status ON sessions(status) WHERE status = 'active';
CREATE INDEX idx_sessions_expires_at ON sessions(expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX idx_sessions_status_updated ON sessions(status, updated_at DESC);
CREATE INDEX idx_sessions_meta ON sessions USING GIN (meta jsonb_path_ops);
CREATE INDEX idx_messages_meta ON messages USING GIN (meta jsonb_path_ops);

INSERT INTO sessions (session_id, created_at, updated_at, expires_at, message_count, meta)
SELECT 'conv-' || n, at - interval '1 hour', at, at + interval '1 day', 2, '{"user_id": "123", "context_window": 4000}'
FROM (SELECT n, now() - CASE WHEN n <= 30 THEN n + 99 ELSE 1 END * interval '1 day' AS at FROM generate_series(1, 40) AS n) AS t;
INSERT INTO messages (session_id, role, content, created_at, token_count)
SELECT id, r, 'Message of the ' || r, updated_at, 5 FROM sessions, unnest(ARRAY['user', 'assistant']) AS r;

CREATE OR REPLACE FUNCTION get_session_context(
    p_session_id TEXT,
    p_max_tokens INTEGER DEFAULT 4000
) RETURNS TABLE (
    message_id UUID,
    role TEXT,
    content TEXT,
    token_count INTEGER,
    created_at TIMESTAMP WITH TIME ZONE
) AS $$
DECLARE
    v_token_sum INTEGER := 0;
BEGIN
    RETURN QUERY
    SELECT m.id, m.role, m.content, m.token_count, m.created_at
    FROM sessions s
    JOIN messages m ON m.session_id = s.id
    WHERE s.session_id = p_session_id
      AND s.status = 'active'
    ORDER BY m.created_at DESC
    LIMIT (
        SELECT COUNT(*)
        FROM messages m2
        JOIN sessions s2 ON m2.session_id = s2.id
        WHERE s2.session_id = p_session_id
          AND (
              SELECT SUM(token_count)
              FROM messages m3
              WHERE m3.session_id = s2.id
                AND m3.created_at >= m2.created_at
          ) <= p_max_tokens
    );
END;
$$ LANGUAGE plpgsql;
CREATE OR REPLACE FUNCTION cleanup_expired_sessions()
RETURNS TRIGGER AS $$
BEGIN
    UPDATE sessions
    SET status = 'expired'
    WHERE expires_at < NOW()
      AND status = 'active';
    RETURN NULL;
END;
$$ LANGUAGE plpgsql;
CREATE TRIGGER trigger_cleanup_sessions
    AFTER INSERT OR UPDATE ON sessions
    FOR EACH STATEMENT
    EXECUTE FUNCTION cleanup_expired_sessions();
