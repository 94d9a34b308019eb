-- Who owns this ledger: a copy of the database has the same ledger, and must not destroy what the original still needs.
-- Applied once by the migrator in one transaction; never edited after a release: a change is a new numbered script.

CREATE TABLE archiver.owners (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- the newest row with a timeline is the owner
  system_id    text NOT NULL,                           -- system_identifier of the cluster: new after initdb, pg_upgrade included
  database     text NOT NULL,
  database_oid bigint,                                  -- a database made from this one as a template has another
  timeline     bigint,                                  -- a promoted standby and a restore to a point in time have a higher one; NULL: only objects come from there
  is_origin    boolean NOT NULL DEFAULT true,           -- objects that say they come from there are this ledger's
  who          text NOT NULL,
  at           timestamptz NOT NULL DEFAULT clock_timestamp()
);

INSERT INTO archiver.owners (system_id, database, database_oid, timeline, who)
SELECT c.system_identifier::text, d.datname, d.oid::bigint, ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint, 'migrate'
FROM pg_control_system() AS c, pg_database AS d
WHERE d.datname = current_database();
