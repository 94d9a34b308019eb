-- Scheduled proofs: when each was last done and with what result, how far it has come through the archive, which archives are damaged, and what
-- the store was asked. Applied once by the migrator in one transaction; never edited after a release: a change is a new numbered script.

CREATE TABLE archiver.proofs (
  source        text NOT NULL,
  proof         text NOT NULL CHECK (proof IN ('verify', 'restore_drill', 'reconcile')),
  state         text NOT NULL CHECK (state IN ('done', 'failed', 'skipped')),  -- of the last attempt
  error         text,                                   -- why it was not done
  tried_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  worker        text NOT NULL,
  done_at       timestamptz,                            -- from here on of the last one that was done
  seconds       double precision NOT NULL DEFAULT 0,
  checked       bigint NOT NULL DEFAULT 0,
  found         jsonb NOT NULL DEFAULT '{}',            -- counts by kind of finding
  position      bigint NOT NULL DEFAULT 0,              -- archives up to this id were read in this walk over the archive
  walk_began_at timestamptz,
  walked_from   timestamptz,                            -- begin and end of the last whole walk
  walked_at     timestamptz,
  PRIMARY KEY (source, proof)
);

-- Archives that were not right when they were last read. Gone again once they are: a sample that looks at others must not make anybody believe so.
CREATE TABLE archiver.damages (
  archive_id bigint NOT NULL REFERENCES archiver.archives ON DELETE CASCADE,
  proof      text NOT NULL CHECK (proof IN ('verify', 'restore_drill')),
  problem    text NOT NULL,
  found_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (archive_id, proof)
);

CREATE TABLE archiver.store_requests (
  source   text PRIMARY KEY,
  since    timestamptz NOT NULL DEFAULT clock_timestamp(),
  requests bigint NOT NULL
);
