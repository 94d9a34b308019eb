-- Sessions whose rows stay after they were stored: what the mark on a session row replaced, so that it can be taken back.
-- Applied once by the migrator in one transaction; never edited after a release: a change is a new numbered script.

ALTER TABLE archiver.archives ADD COLUMN mark jsonb;  -- the mark's location and the columns' values before it; NULL where nothing was marked

CREATE INDEX archives_stored ON archiver.archives (source, policy, id) WHERE state = 'stored';
