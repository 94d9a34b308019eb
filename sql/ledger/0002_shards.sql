-- Runs know their shard, and the lock that proves that they live: a shard's run must not take another's for dead.

ALTER TABLE archiver.runs
  ADD COLUMN shard  int NOT NULL DEFAULT 1,
  ADD COLUMN shards int NOT NULL DEFAULT 1,             -- 1: the whole source
  ADD COLUMN lease  bigint,                             -- key of the advisory lock that the run holds as long as it lives
  ADD CONSTRAINT runs_shard_check CHECK (shard BETWEEN 1 AND shards);
