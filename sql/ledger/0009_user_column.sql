-- Where an archive's user came from. Archives from before users were mapped, or from before this script, have no user for two reasons that must
-- not be taken for each other: the session had none, or nobody asked.
-- Applied once by the migrator in one transaction; never edited after a release: a change is a new numbered script.

ALTER TABLE archiver.archives ADD COLUMN user_column text;  -- session column that user_id was read from; NULL: none was mapped, or an older archiver wrote the row
