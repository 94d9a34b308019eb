-- What a run adds to the ledger costs half: of seven indexes on archives two are as good as free now, the widest compares what differs first, and the two
-- parents are looked up once a statement instead of once a row. On a ledger of ten million archives this takes about a minute, and locks it meanwhile.
-- Applied once by the migrator in one transaction; never edited after a release: a change is a new numbered script.
--
-- Which query needs which index (tests/Integration.Tests/Status/LedgerIndexTests.cs makes each of them use it):
--   archives_pkey            verify and query page by page; list, whose order it is; damages
--   archives_by_session      selection: next generation, restored lately, stored; the restore's newest generation; show, explain, erase, holds; no session twice
--   archives_by_external_id  show, list, restore and erase by external id
--   archives_by_user         list, restore, erase and query by user
--   archives_by_object       discard, erase and reconcile, object by object; guards archiver.objects
--   archives_stored          what DeleteAfter has due, and what may have changed since it was stored: few of all rows
--   archives_by_run          restore --run; manifests of an erasure; guards archiver.runs. Rows of a run lie together, so a range of pages is index enough
--   archives_by_activity     list, restore and query by dates. A run takes the oldest sessions first, so dates lie about together, too

ALTER TABLE archiver.archives
  DROP CONSTRAINT archives_source_session_id_generation_key,
  ADD CONSTRAINT archives_by_session UNIQUE (session_id, generation, source);  -- the source of most ledgers is one: compared first, it decides nothing

DROP INDEX archiver.archives_by_run;
CREATE INDEX archives_by_run ON archiver.archives USING brin (run_id) WITH (pages_per_range = 16, autosummarize = on);
DROP INDEX archiver.archives_by_activity;
CREATE INDEX archives_by_activity ON archiver.archives USING brin (session_last_activity) WITH (pages_per_range = 16, autosummarize = on);

-- A foreign key asks for the parent of every row. The statements that add archives find their object and run by a join and lock them; these triggers keep
-- anybody from removing what archives name.
ALTER TABLE archiver.archives DROP CONSTRAINT archives_object_id_fkey, DROP CONSTRAINT archives_run_id_fkey;

CREATE FUNCTION archiver.keep_named() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    IF NOT EXISTS (SELECT FROM archiver.archives) THEN
      RETURN NULL;
    END IF;
  ELSIF TG_TABLE_NAME = 'objects' THEN
    IF NOT EXISTS (SELECT FROM gone AS g JOIN archiver.archives AS a ON a.object_id = g.id) THEN
      RETURN NULL;
    END IF;
  ELSIF NOT EXISTS (SELECT FROM gone AS g JOIN archiver.archives AS a ON a.run_id = g.id) THEN
    RETURN NULL;
  END IF;
  RAISE foreign_key_violation USING MESSAGE = format('archives name these rows of archiver.%I', TG_TABLE_NAME), HINT = 'Rows of the ledger are not deleted; their states say what became of them.';
END
$$;

CREATE TRIGGER keep_named AFTER DELETE ON archiver.objects REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION archiver.keep_named();
CREATE TRIGGER keep_named AFTER DELETE ON archiver.runs REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION archiver.keep_named();
CREATE TRIGGER keep_named_truncate BEFORE TRUNCATE ON archiver.objects FOR EACH STATEMENT EXECUTE FUNCTION archiver.keep_named();
CREATE TRIGGER keep_named_truncate BEFORE TRUNCATE ON archiver.runs FOR EACH STATEMENT EXECUTE FUNCTION archiver.keep_named();
