-- The migration of the review of "last-accessed", as its document has it.
ALTER TABLE sessions
ADD COLUMN IF NOT EXISTS last_accessed TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP;
UPDATE sessions SET last_accessed = updated_at WHERE last_accessed IS NULL;
DROP INDEX IF EXISTS idx_sessions_expires_at;
CREATE INDEX IF NOT EXISTS idx_sessions_last_accessed ON sessions (last_accessed);
DROP INDEX IF EXISTS idx_messages_session_id;
CREATE INDEX IF NOT EXISTS idx_messages_session_created_desc
ON messages (session_id, created_at DESC);
ALTER TABLE messages
ALTER COLUMN created_at SET DEFAULT clock_timestamp();
CREATE OR REPLACE FUNCTION update_session_last_accessed(p_session_id UUID)
RETURNS VOID AS $$
BEGIN
    UPDATE sessions
    SET last_accessed = CURRENT_TIMESTAMP
    WHERE id = p_session_id;
END;
$$ LANGUAGE plpgsql;
