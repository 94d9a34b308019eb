-- Discard and erase: their runs, the notice before a discard, removals that a crash may leave half done, and the erasures that this
-- ledger knows. Applied once by the migrator in one transaction.

ALTER TABLE archiver.runs DROP CONSTRAINT runs_action_check;
ALTER TABLE archiver.runs ADD CONSTRAINT runs_action_check
  CHECK (action IN ('archive', 'purge', 'expire', 'restore', 'discard', 'erase'));

ALTER TABLE archiver.objects
  ADD COLUMN discard_announced_at timestamptz,          -- it is destroyed once Discard:Notice has passed since then
  ADD COLUMN removal_began_at     timestamptz;          -- it is being destroyed on purpose; not confirmed yet

-- Tombstones in the bucket that this ledger has seen. One that it has not seen says that an erasure never came to this database: it was
-- restored to an earlier time, or the erasure was interrupted. Names hold keyed hashes, no ids.
CREATE TABLE archiver.erasures (
  name     text COLLATE "C" NOT NULL,
  source   text NOT NULL,
  seen_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (source, name)
);

-- The notice, for applications.
CREATE OR REPLACE VIEW archiver.archived_sessions AS
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
       o.key,
       o.discard_announced_at
FROM archiver.archives AS a
JOIN archiver.objects AS o ON o.id = a.object_id
WHERE a.state = 'archived';
