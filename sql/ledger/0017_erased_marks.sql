-- Marks of sessions that were erased before an erasure cleared them: a mark has the key of the session's object, and so its id, and a hash
-- of its row. Applied once by the migrator in one transaction; never edited after a release: a change is a new numbered script.

UPDATE archiver.archives AS a SET mark = NULL WHERE a.state = 'erased' AND a.mark IS NOT NULL;
