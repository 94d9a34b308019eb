-- Parts: archives of old messages of a session that lives on. Its row stays in the tables, so its being there says nothing of a part.
-- Applied once by the migrator in one transaction; never edited after a release: a change is a new numbered script.

ALTER TABLE archiver.archives ADD COLUMN part boolean NOT NULL DEFAULT false;

-- A restore asks for parts as well; where there are none this answers at once.
CREATE INDEX archives_parts ON archiver.archives (session_id, exported_at) WHERE part;

-- A session of which parts are archived is in the tables.
CREATE OR REPLACE VIEW archiver.archived_sessions AS
SELECT a.source,
       a.session_id,
       a.external_id,
       a.user_id,
       a.generation,
       a.session_created_at,
       a.session_last_activity,
       a.message_count,
       a.keep,
       a.archived_at,
       o.location,
       o.key,
       o.discard_announced_at
FROM archiver.archives AS a
JOIN archiver.objects AS o ON o.id = a.object_id
WHERE a.state = 'archived' AND NOT a.part;

-- For applications: older messages that are in the archive and no longer in the tables.
CREATE VIEW archiver.archived_parts AS
SELECT a.source,
       a.session_id,
       a.external_id,
       a.user_id,
       a.generation,
       a.message_count,
       a.archived_at,
       o.location,
       o.key,
       o.discard_announced_at
FROM archiver.archives AS a
JOIN archiver.objects AS o ON o.id = a.object_id
WHERE a.state = 'archived' AND a.part;
