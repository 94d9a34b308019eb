-- Ids that this ledger had before it was lost and made again: objects that carry one are its own.
-- Applied once by the migrator in one transaction; never edited after a release: a change is a new numbered script.

CREATE TABLE archiver.former_ledgers (
  id       uuid PRIMARY KEY,
  known_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
