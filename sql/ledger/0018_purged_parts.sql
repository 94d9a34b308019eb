-- Parts of sessions that were purged after a restore of these parts: the purge called them superseded, and no restore by id brought them
-- back. Applied once by the migrator in one transaction; never edited after a release: a change is a new numbered script.

UPDATE archiver.archives AS a SET state = 'restored', reason = NULL, ended_at = NULL
WHERE a.part AND a.state = 'superseded' AND a.reason = 'purged' AND a.restored_at IS NOT NULL;
