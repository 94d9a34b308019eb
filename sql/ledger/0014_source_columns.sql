-- By which columns a source knows its sessions and users: holds, archives and quarantine name them by the values of these.
-- Applied once by the migrator in one transaction; never edited after a release: a change is a new numbered script.

-- Of the session table only; NULL until the source's next run. The numbers are those of pg_attribute: a column that was renamed keeps its own.
ALTER TABLE archiver.source_tables
  ADD COLUMN key_column  text,
  ADD COLUMN key_number  smallint,
  ADD COLUMN user_column text,                          -- NULL beside a key: none is mapped
  ADD COLUMN user_number smallint;
