-- When an archived session began: its creation, or its oldest activity where creation is unknown, or an older time of one of its messages. A hold by a
-- range of time that meets nothing but such a message covered the live session, and its archive no more.
-- Applied once by the migrator in one transaction; never edited after a release: a change is a new numbered script.

ALTER TABLE archiver.archives ADD COLUMN session_first_activity timestamptz;  -- NULL: unknown, as in rows that an older archiver wrote
