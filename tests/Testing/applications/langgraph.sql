-- The tables of LangGraph's checkpointer, as its migrations make them, with 200 threads: 1 to 150 idle. Ids are uuids of version 6.
CREATE TABLE checkpoint_migrations (v INTEGER PRIMARY KEY);
CREATE TABLE checkpoints (
  thread_id TEXT NOT NULL, checkpoint_ns TEXT NOT NULL DEFAULT '', checkpoint_id TEXT NOT NULL, parent_checkpoint_id TEXT, type TEXT, checkpoint JSONB NOT NULL,
  metadata JSONB NOT NULL DEFAULT '{}', PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id));
CREATE TABLE checkpoint_blobs (
  thread_id TEXT NOT NULL, checkpoint_ns TEXT NOT NULL DEFAULT '', channel TEXT NOT NULL, version TEXT NOT NULL, type TEXT NOT NULL, blob BYTEA,
  PRIMARY KEY (thread_id, checkpoint_ns, channel, version));
CREATE TABLE checkpoint_writes (
  thread_id TEXT NOT NULL, checkpoint_ns TEXT NOT NULL DEFAULT '', checkpoint_id TEXT NOT NULL, task_id TEXT NOT NULL, idx INTEGER NOT NULL, channel TEXT NOT NULL, type TEXT,
  blob BYTEA NOT NULL, task_path TEXT NOT NULL DEFAULT '', PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx));
CREATE INDEX checkpoints_thread_id_idx ON checkpoints (thread_id);
CREATE INDEX checkpoint_blobs_thread_id_idx ON checkpoint_blobs (thread_id);
CREATE INDEX checkpoint_writes_thread_id_idx ON checkpoint_writes (thread_id);

-- Hundreds of nanoseconds since 1582 in the order of version 6: 48 bits, the version, 12 bits; then the variant.
CREATE FUNCTION pg_temp.uuid_v6(at timestamptz) RETURNS text LANGUAGE sql AS $$
  SELECT substr(h, 2, 8) || '-' || substr(h, 10, 4) || '-6' || substr(h, 14, 3) || '-8000-' || substr(md5(h), 1, 12)
  FROM (SELECT lpad(to_hex((extract(epoch FROM at) * 10000000)::bigint + 122192928000000000), 16, '0') AS h) AS t
$$;
INSERT INTO checkpoints (thread_id, checkpoint_id, parent_checkpoint_id, checkpoint, metadata)
SELECT 'thread-' || n, pg_temp.uuid_v6(at + i * interval '1 second'), CASE WHEN i > 0 THEN pg_temp.uuid_v6(at + (i - 1) * interval '1 second') END,
       '{"v": 4, "channel_versions": {"messages": "1"}}', '{"step": 1, "source": "loop"}'
FROM (SELECT n, now() - CASE WHEN n <= 150 THEN n + 99 ELSE 1 END * interval '1 day' AS at FROM generate_series(1, 200) AS n) AS t, generate_series(0, 2) AS i;
INSERT INTO checkpoint_blobs SELECT DISTINCT thread_id, '', 'messages', '1', 'msgpack', '\x93a1'::bytea FROM checkpoints;
INSERT INTO checkpoint_writes (thread_id, checkpoint_id, task_id, idx, channel, type, blob) SELECT thread_id, checkpoint_id, 'task', 0, 'messages', 'msgpack', '\x00' FROM checkpoints;
