-- The tables of the system "last-accessed" as its owner's review found them, with 40 sessions: 1 to 30 idle.
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE TABLE sessions (
    id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
    user_id TEXT,
    metadata JSONB DEFAULT '{}',
    created_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP,
    expires_at TIMESTAMP WITH TIME ZONE
);
CREATE INDEX idx_sessions_user_id ON sessions (user_id);
CREATE INDEX idx_sessions_expires_at ON sessions (expires_at);
CREATE TABLE messages (
    id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
    session_id UUID NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('user', 'assistant', 'system')),
    content TEXT NOT NULL,
    metadata JSONB DEFAULT '{}',
    created_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX idx_messages_session_id ON messages (session_id, created_at);

INSERT INTO sessions (user_id, metadata, created_at, updated_at, expires_at)
SELECT 'user' || n % 4, '{"language": "nl", "topics": ["fall_protection"]}', at - interval '1 hour', at, at + interval '1 day'
FROM (SELECT n, now() - CASE WHEN n <= 30 THEN n + 99 ELSE 1 END * interval '1 day' AS at FROM generate_series(1, 40) AS n) AS t;
INSERT INTO messages (session_id, role, content, metadata, created_at)
SELECT id, r, 'Valbeveiliging ' || r, '{"citations": [{"similarity": 0.92}]}', updated_at FROM sessions, unnest(ARRAY['user', 'assistant']) AS r;
-- The trigger that the review speaks of: every UPDATE moves updated_at.
CREATE FUNCTION update_updated_at_column() RETURNS TRIGGER AS $$
BEGIN
    NEW.updated_at = CURRENT_TIMESTAMP;
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;
CREATE TRIGGER update_sessions_updated_at BEFORE UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
