-- Of which types a source's key is: of another one the same session may be written otherwise, and no hold would cover it.
-- Applied once by the migrator in one transaction; never edited after a release: a change is a new numbered script.

-- Of the session table only; NULL until the source's next run. Several columns: in the key's order, with commas.
ALTER TABLE archiver.source_tables ADD COLUMN key_type text;
