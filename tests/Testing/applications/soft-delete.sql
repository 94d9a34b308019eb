-- The tables of the system "soft-delete" as its ORM makes them from the models of its owner's document, with 40 sessions: 1 to 30 idle.
CREATE TABLE chat_sessions (
    id VARCHAR NOT NULL PRIMARY KEY,
    user_id VARCHAR,
    title VARCHAR,
    created_at TIMESTAMP WITHOUT TIME ZONE,
    last_activity TIMESTAMP WITHOUT TIME ZONE,
    message_count INTEGER,
    total_tokens INTEGER,
    session_metadata JSON,
    deleted_at TIMESTAMP WITHOUT TIME ZONE
);
CREATE TABLE chat_messages (
    id VARCHAR NOT NULL PRIMARY KEY,
    session_id VARCHAR NOT NULL REFERENCES chat_sessions (id),
    role VARCHAR NOT NULL,
    content TEXT NOT NULL,
    timestamp TIMESTAMP WITHOUT TIME ZONE,
    sequence INTEGER,
    tokens_used INTEGER,
    model_version VARCHAR,
    context_documents JSON,
    message_metadata JSON,
    deleted_at TIMESTAMP WITHOUT TIME ZONE
);
CREATE INDEX ix_chat_sessions_user_id ON chat_sessions(user_id);
CREATE INDEX ix_chat_sessions_last_activity ON chat_sessions(last_activity);
CREATE INDEX ix_chat_messages_session_id ON chat_messages(session_id);
CREATE INDEX ix_chat_messages_timestamp ON chat_messages(timestamp);

INSERT INTO chat_sessions (id, user_id, title, created_at, last_activity, message_count, session_metadata, deleted_at)
SELECT gen_random_uuid()::text, 'user' || n % 4, 'Session ' || n, at, at, 2, '{"tags":  ["a"], "a": 1, "a": 2}', CASE WHEN n % 10 = 0 THEN at END
FROM (SELECT n, (now() AT TIME ZONE 'UTC') - CASE WHEN n <= 30 THEN n + 99 ELSE 1 END * interval '1 day' AS at FROM generate_series(1, 40) AS n) AS t;
INSERT INTO chat_messages (id, session_id, role, content, timestamp, sequence, message_metadata)
SELECT gen_random_uuid()::text, id, CASE i WHEN 1 THEN 'user' ELSE 'assistant' END, 'Message ' || i, last_activity, i, '{"latency": 1.50}' FROM chat_sessions, generate_series(1, 2) AS i;
