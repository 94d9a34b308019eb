-- The ledger: what the archiver did, in the source's own database, so that recording and deleting are one transaction.
-- Applied once by the migrator in one transaction; never edited after a release: a change is a new numbered script.
-- Session keys are text here whatever their type is in the source, so that one ledger serves every source of a database.

CREATE TABLE archiver.ledger (
  only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  id         uuid NOT NULL DEFAULT gen_random_uuid(),  -- every object carries it: reconcile touches no other ledger's objects
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO archiver.ledger DEFAULT VALUES;

CREATE TABLE archiver.runs (
  id                uuid PRIMARY KEY,
  source            text NOT NULL,
  policy            text NOT NULL,
  action            text NOT NULL CHECK (action IN ('archive', 'purge', 'expire', 'restore')),
  state             text NOT NULL DEFAULT 'running'
                    CHECK (state IN ('running', 'done', 'partial', 'failed', 'refused', 'cancelled', 'interrupted')),
  cut_off           timestamptz,                        -- the database's clock when the run began; ages count from here
  worker            text NOT NULL,                      -- host name and process id
  started_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at          timestamptz,
  sessions_selected bigint NOT NULL DEFAULT 0,
  sessions_done     bigint NOT NULL DEFAULT 0,          -- confirmed by a commit
  sessions_skipped  bigint NOT NULL DEFAULT 0,          -- changed, locked or gone meanwhile: live, for the next run
  sessions_failed   bigint NOT NULL DEFAULT 0,
  rows_deleted      bigint NOT NULL DEFAULT 0,
  bytes_json        bigint NOT NULL DEFAULT 0,
  bytes_stored      bigint NOT NULL DEFAULT 0,
  reasons           jsonb NOT NULL DEFAULT '{}',        -- skipped and failed sessions counted by reason
  error             text
);
CREATE INDEX runs_by_policy ON archiver.runs (source, policy, started_at DESC);
CREATE INDEX runs_running ON archiver.runs (source) WHERE state = 'running';

CREATE TABLE archiver.objects (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  location   text NOT NULL,                             -- s3://bucket or file:///folder
  key        text COLLATE "C" NOT NULL,
  version_id text,                                      -- where the bucket keeps versions: the one that was verified
  attempt    text NOT NULL,                             -- the put's random nonce, also in the object's metadata
  source     text NOT NULL,
  run_id     uuid NOT NULL REFERENCES archiver.runs,
  layout     text NOT NULL CHECK (layout IN ('session', 'bundle')),
  state      text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'stored', 'abandoned', 'discarded', 'erased')),
  members    text[] NOT NULL,                           -- session ids, so that erase finds what no archive row names
  length     bigint NOT NULL,                           -- bytes of gzip
  sha256     bytea NOT NULL,                            -- of the gzip bytes
  reason     text,                                      -- why it was abandoned
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  stored_at  timestamptz,
  ended_at   timestamptz,
  UNIQUE (location, key)
);
CREATE INDEX objects_by_run ON archiver.objects (run_id);
CREATE INDEX objects_unsettled ON archiver.objects (source, state) WHERE state IN ('pending', 'abandoned');

CREATE TABLE archiver.archives (
  id                    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source                text NOT NULL,
  session_id            text COLLATE "C" NOT NULL,
  external_id           text,
  generation            int NOT NULL CHECK (generation > 0),
  state                 text NOT NULL CHECK (state IN
                          ('stored', 'archived', 'restored', 'superseded', 'abandoned', 'discarded', 'erased', 'unknown')),
  user_id               text,
  session_created_at    timestamptz,
  session_last_activity timestamptz,
  message_count         bigint NOT NULL,                -- rows of the child named messages
  row_count             bigint NOT NULL,                -- rows of all tables, the session's own included
  object_id             bigint NOT NULL REFERENCES archiver.objects,
  byte_offset           bigint NOT NULL,                -- of the gzip member inside the object
  byte_length           bigint NOT NULL,
  json_length           bigint NOT NULL,
  json_sha256           bytea NOT NULL,
  fingerprints          jsonb NOT NULL,                 -- per table: rows and hash of the row versions exported
  keep                  jsonb,                          -- session columns named in Keep
  run_id                uuid NOT NULL REFERENCES archiver.runs,
  policy                text NOT NULL,
  reason                text,
  exported_at           timestamptz NOT NULL,
  stored_at             timestamptz NOT NULL DEFAULT clock_timestamp(),
  archived_at           timestamptz,
  restored_at           timestamptz,
  ended_at              timestamptz,
  UNIQUE (source, session_id, generation)
);
CREATE INDEX archives_by_user ON archiver.archives (source, user_id) WHERE user_id IS NOT NULL;
CREATE INDEX archives_by_external_id ON archiver.archives (source, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX archives_by_activity ON archiver.archives (source, session_last_activity, id);
CREATE INDEX archives_by_run ON archiver.archives (run_id);
CREATE INDEX archives_by_object ON archiver.archives (object_id);

CREATE TABLE archiver.holds (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source     text NOT NULL,
  session_id text,                                      -- exactly one of session, user or range
  user_id    text,
  from_time  timestamptz,
  to_time    timestamptz,
  reason     text NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  removed_by text,
  removed_at timestamptz,
  CHECK (num_nonnulls(session_id, user_id, coalesce(from_time, to_time)) = 1)
);
CREATE INDEX holds_in_force ON archiver.holds (source) WHERE removed_at IS NULL;

CREATE TABLE archiver.quarantine (
  source          text NOT NULL,
  session_id      text COLLATE "C" NOT NULL,
  reason          text NOT NULL,                        -- never message text
  attempts        int NOT NULL,
  first_failed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_failed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  next_attempt_at timestamptz,                          -- back-off; NULL once quarantined
  quarantined_at  timestamptz,
  run_id          uuid NOT NULL,
  PRIMARY KEY (source, session_id)
);

CREATE TABLE archiver.acceptances (
  source      text NOT NULL,
  policy      text NOT NULL,
  policy_hash text NOT NULL,                            -- of the conditions without their ages
  ages        jsonb NOT NULL,                           -- ages at acceptance: a longer one needs no new acceptance
  accepted_by text NOT NULL,
  accepted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (source, policy)
);

CREATE TABLE archiver.pauses (
  source    text NOT NULL,                              -- '' for every source
  policy    text NOT NULL,                              -- '' for every policy
  paused_by text NOT NULL,
  paused_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (source, policy)
);

CREATE TABLE archiver.audit (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  who        text NOT NULL,
  action     text NOT NULL,
  source     text,
  policy     text,
  run_id     uuid,
  reason     text,
  counts     jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_by_time ON archiver.audit (at);

-- For applications: sessions that are in the archive and no longer in the tables, newest generation.
CREATE VIEW archiver.archived_sessions AS
SELECT a.source,
       a.session_id,
       a.external_id,
       a.user_id,
       a.generation,
       a.session_created_at,
       a.session_last_activity,
       a.message_count,
       a.keep,
       a.archived_at,
       o.location,
       o.key
FROM archiver.archives AS a
JOIN archiver.objects AS o ON o.id = a.object_id
WHERE a.state = 'archived';

COMMENT ON SCHEMA archiver IS 'Ledger of the archiver: what was archived, where it is, and how to prove it.';
