-- The tables of Google's ADK, as SQLAlchemy makes them of schema v1, with 200 sessions: 1 to 150 idle. Each id occurs for two users.
CREATE TABLE adk_internal_metadata (key VARCHAR(128) NOT NULL, value VARCHAR(256) NOT NULL, PRIMARY KEY (key));
CREATE TABLE app_states (app_name VARCHAR(128) NOT NULL, state JSONB NOT NULL, update_time TIMESTAMP WITHOUT TIME ZONE NOT NULL, PRIMARY KEY (app_name));
CREATE TABLE user_states (
  app_name VARCHAR(128) NOT NULL, user_id VARCHAR(128) NOT NULL, state JSONB NOT NULL, update_time TIMESTAMP WITHOUT TIME ZONE NOT NULL, PRIMARY KEY (app_name, user_id));
CREATE TABLE sessions (
  app_name VARCHAR(128) NOT NULL, user_id VARCHAR(128) NOT NULL, id VARCHAR(128) NOT NULL, state JSONB NOT NULL, create_time TIMESTAMP WITHOUT TIME ZONE NOT NULL,
  update_time TIMESTAMP WITHOUT TIME ZONE NOT NULL, event_sequence INTEGER NOT NULL, PRIMARY KEY (app_name, user_id, id));
CREATE TABLE events (
  id VARCHAR(128) NOT NULL, app_name VARCHAR(128) NOT NULL, user_id VARCHAR(128) NOT NULL, session_id VARCHAR(128) NOT NULL, invocation_id VARCHAR(256) NOT NULL,
  timestamp TIMESTAMP WITHOUT TIME ZONE NOT NULL, event_data JSONB, PRIMARY KEY (id, app_name, user_id, session_id),
  FOREIGN KEY (app_name, user_id, session_id) REFERENCES sessions (app_name, user_id, id) ON DELETE CASCADE);
CREATE INDEX idx_events_app_user_session_ts ON events (app_name, user_id, session_id, timestamp DESC);

INSERT INTO adk_internal_metadata VALUES ('schema_version', '1');
INSERT INTO app_states VALUES ('travel', '{"greeting": "hello"}', now() AT TIME ZONE 'UTC');
INSERT INTO sessions
SELECT 'travel', CASE WHEN n % 2 = 0 THEN 'ada' ELSE 'bob "b"' END, 'trip/' || (n + 1) / 2, '{"city": "Zürich"}', at, at, 2
FROM (SELECT n, (now() AT TIME ZONE 'UTC') - CASE WHEN n <= 150 THEN n + 99 ELSE 1 END * interval '1 day' AS at FROM generate_series(1, 200) AS n) AS t;
INSERT INTO user_states SELECT DISTINCT app_name, user_id, '{}'::jsonb, now() AT TIME ZONE 'UTC' FROM sessions;
-- Events of two sessions may have one id.
INSERT INTO events
SELECT 'event-' || i, app_name, user_id, id, 'e-1', update_time - (3 - i) * interval '1 second', '{"author": "user", "content": {"parts": [{"text": "hello"}]}}' FROM sessions, generate_series(1, 2) AS i;
