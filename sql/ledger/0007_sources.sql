-- Which tables the name of a source stands for, so that holds, pauses, locks and archives do not hang on how somebody writes it.
-- Applied once by the migrator in one transaction; never edited after a release: a change is a new numbered script.

CREATE TABLE archiver.sources (
  name     text PRIMARY KEY,                            -- in small letters, as everywhere in the ledger
  known_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The tables in this database, of a partition the root. None yet for a source that was known before this script, until its next run.
CREATE TABLE archiver.source_tables (
  source      text NOT NULL REFERENCES archiver.sources ON UPDATE CASCADE ON DELETE CASCADE,
  schema_name text NOT NULL,
  table_name  text NOT NULL,
  relation    bigint NOT NULL,                          -- its oid: a table that was renamed keeps it
  is_session  boolean NOT NULL,
  PRIMARY KEY (schema_name, table_name)
);
CREATE INDEX source_tables_by_source ON archiver.source_tables (source);

-- Everything that the ledger has under one name goes under another; where both have it, the ledger keeps what protects more.
CREATE FUNCTION archiver.rename_source(old_name text, new_name text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  -- A session that was archived under both names gets its generations in the order of time. First out of each other's way.
  UPDATE archiver.archives AS a SET generation = a.generation + 1000000000
  WHERE a.source IN (old_name, new_name)
    AND EXISTS (SELECT FROM archiver.archives AS o WHERE o.source IN (old_name, new_name) AND o.source <> a.source AND o.session_id = a.session_id);
  UPDATE archiver.archives AS a SET source = new_name, generation = n.generation
  FROM (SELECT b.id, row_number() OVER (PARTITION BY b.session_id ORDER BY b.exported_at, b.id) AS generation
        FROM archiver.archives AS b
        WHERE b.source IN (old_name, new_name) AND b.generation > 1000000000) AS n
  WHERE a.id = n.id;
  UPDATE archiver.archives AS a SET source = new_name WHERE a.source = old_name;
  UPDATE archiver.objects AS o SET source = new_name WHERE o.source = old_name;
  UPDATE archiver.runs AS r SET source = new_name WHERE r.source = old_name;
  UPDATE archiver.holds AS h SET source = new_name WHERE h.source = old_name;
  DELETE FROM archiver.quarantine AS q
  WHERE q.source = old_name AND EXISTS (SELECT FROM archiver.quarantine AS n WHERE n.source = new_name AND n.session_id = q.session_id);
  UPDATE archiver.quarantine AS q SET source = new_name WHERE q.source = old_name;
  DELETE FROM archiver.acceptances AS a
  WHERE a.source = old_name AND EXISTS (SELECT FROM archiver.acceptances AS n WHERE n.source = new_name AND n.policy = a.policy);
  UPDATE archiver.acceptances AS a SET source = new_name WHERE a.source = old_name;
  INSERT INTO archiver.pauses (source, policy, paused_by, paused_at)
  SELECT new_name, p.policy, p.paused_by, p.paused_at FROM archiver.pauses AS p WHERE p.source = old_name
  ON CONFLICT DO NOTHING;
  DELETE FROM archiver.pauses AS p WHERE p.source = old_name;
  INSERT INTO archiver.erasures (name, source, seen_at)
  SELECT e.name, new_name, e.seen_at FROM archiver.erasures AS e WHERE e.source = old_name
  ON CONFLICT DO NOTHING;
  DELETE FROM archiver.erasures AS e WHERE e.source = old_name;
  DELETE FROM archiver.sources AS s WHERE s.name = old_name;
  INSERT INTO archiver.sources (name) VALUES (new_name) ON CONFLICT DO NOTHING;
END
$$;

-- Until now a name was kept as somebody had written it, and each spelling had a state of its own.
DO $$
DECLARE
  spelling text;
BEGIN
  INSERT INTO archiver.sources (name)
  SELECT n.source FROM archiver.archives AS n UNION SELECT n.source FROM archiver.objects AS n UNION SELECT n.source FROM archiver.runs AS n
  UNION SELECT n.source FROM archiver.holds AS n UNION SELECT n.source FROM archiver.quarantine AS n UNION SELECT n.source FROM archiver.acceptances AS n
  UNION SELECT n.source FROM archiver.pauses AS n WHERE n.source <> '' UNION SELECT n.source FROM archiver.erasures AS n;
  FOR spelling IN SELECT s.name FROM archiver.sources AS s WHERE s.name <> lower(s.name) ORDER BY 1 LOOP
    PERFORM archiver.rename_source(spelling, lower(spelling));
  END LOOP;

  UPDATE archiver.runs AS r SET policy = lower(r.policy) WHERE r.policy <> lower(r.policy);
  UPDATE archiver.archives AS a SET policy = lower(a.policy) WHERE a.policy <> lower(a.policy);
  -- An acceptance may be asked for again; a pause must not get lost.
  DELETE FROM archiver.acceptances AS a
  WHERE EXISTS (SELECT FROM archiver.acceptances AS n WHERE n.source = a.source AND n.policy <> a.policy AND lower(n.policy) = lower(a.policy));
  UPDATE archiver.acceptances AS a SET policy = lower(a.policy) WHERE a.policy <> lower(a.policy);
  INSERT INTO archiver.pauses (source, policy, paused_by, paused_at)
  SELECT p.source, lower(p.policy), p.paused_by, p.paused_at FROM archiver.pauses AS p WHERE p.policy <> lower(p.policy)
  ON CONFLICT DO NOTHING;
  DELETE FROM archiver.pauses AS p WHERE p.policy <> lower(p.policy);
END
$$;
