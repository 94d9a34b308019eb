-- The tables of the system "ended-at" as its owner's document has them, the archive columns included, with 40 sessions: 1 to 30 idle.
CREATE TABLE chat_sessions (
    session_id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id VARCHAR(255),
    is_anonymous BOOLEAN DEFAULT true,
    created_at TIMESTAMP NOT NULL DEFAULT NOW(),
    last_activity TIMESTAMP NOT NULL DEFAULT NOW(),
    ended_at TIMESTAMP,
    session_title VARCHAR(500),
    session_mode VARCHAR(50) DEFAULT 'balanced',
    message_count INTEGER DEFAULT 0,
    total_tokens INTEGER DEFAULT 0,
    metadata JSONB DEFAULT '{}'::jsonb,
    CONSTRAINT valid_mode CHECK (session_mode IN ('fast', 'balanced', 'quality', 'adaptive'))
);
CREATE INDEX idx_session_user ON chat_sessions(user_id) WHERE user_id IS NOT NULL;
CREATE INDEX idx_session_anonymous ON chat_sessions(is_anonymous) WHERE is_anonymous = true;
CREATE INDEX idx_session_created ON chat_sessions(created_at DESC);
CREATE INDEX idx_session_last_activity ON chat_sessions(last_activity DESC);
CREATE INDEX idx_session_active ON chat_sessions(ended_at) WHERE ended_at IS NULL;
CREATE INDEX idx_session_metadata_gin ON chat_sessions USING gin(metadata jsonb_path_ops);
CREATE TABLE chat_messages (
    id BIGSERIAL PRIMARY KEY,
    session_id UUID NOT NULL REFERENCES chat_sessions(session_id) ON DELETE CASCADE,
    role VARCHAR(20) NOT NULL,
    content TEXT NOT NULL,
    timestamp TIMESTAMP NOT NULL DEFAULT NOW(),
    retrieved_docs JSONB,
    reranker_used VARCHAR(50),
    tokens_used INTEGER,
    latency_ms INTEGER,
    metadata JSONB DEFAULT '{}'::jsonb,
    CONSTRAINT valid_role CHECK (role IN ('user', 'assistant', 'system'))
);
CREATE INDEX idx_messages_session ON chat_messages(session_id, timestamp);
CREATE INDEX idx_messages_timestamp ON chat_messages(timestamp DESC);
CREATE INDEX idx_messages_retrieved_gin ON chat_messages USING gin(retrieved_docs jsonb_path_ops);
ALTER TABLE chat_sessions
ADD COLUMN archived BOOLEAN DEFAULT false,
ADD COLUMN archive_location TEXT;
CREATE INDEX idx_session_archived ON chat_sessions(archived, ended_at)
WHERE archived = false;

INSERT INTO chat_sessions (user_id, is_anonymous, created_at, last_activity, ended_at, session_title, message_count, metadata)
SELECT CASE WHEN n % 2 = 0 THEN 'user' || n % 4 END, n % 2 = 1, at - interval '1 hour', at, CASE WHEN n % 3 = 0 THEN at END, 'Question ' || n, 2, '{"source": "web", "tags": ["bidding"]}'
FROM (SELECT n, (now() AT TIME ZONE 'UTC') - CASE WHEN n <= 30 THEN n + 99 ELSE 1 END * interval '1 day' AS at FROM generate_series(1, 40) AS n) AS t;
INSERT INTO chat_messages (session_id, role, content, timestamp, retrieved_docs, tokens_used, latency_ms)
SELECT session_id, r, 'Nội dung ' || r, last_activity, CASE r WHEN 'assistant' THEN '[{"doc": 1}]'::jsonb END, 12, 800 FROM chat_sessions, unnest(ARRAY['user', 'assistant']) AS r;
