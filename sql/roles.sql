-- Roles with least privileges: one for the archiver, one for applications that list archived sessions.
--
-- Purpose  : role `archiver` gets exactly what runs need; role `archiver_reader` gets the views archiver.archived_sessions and archiver.archived_parts.
-- Needs    : PostgreSQL 14 or later, the application's tables, and a superuser. On a managed server its admin role does:
--            let it first CREATE ROLE archiver LOGIN; GRANT archiver TO CURRENT_USER;
-- Use      : in the application's database, defaults as for preset ended-at:
--              psql -d chat -f sql/roles.sql
--            another preset or another name:
--              psql -d chat -c "SET archiver.session = 'public.sessions'" -c "SET archiver.children = 'public.messages'" -f sql/roles.sql
--            Then give the role a password (psql: \password archiver), run `archiver migrate` as that role, and run this
--            script once more: only then is there a view to grant.
-- Safe to re-run: yes. It adds what is missing, takes nothing away, and sets no password.
--
-- Settings (SET or set_config, all optional)          ended-at                     last-accessed   status-expiry   soft-delete
--   archiver.session   the session table              public.chat_sessions         public.sessions public.sessions public.chat_sessions
--   archiver.marks     its columns that runs may set  archived, archive_location                   status
--   archiver.children  all mapped child tables        public.chat_messages         public.messages public.messages public.chat_messages
--   archiver.restore   on: also what `archiver restore` needs in these tables; runs need none of it
--   archiver.role      name of the archiver's role    archiver
--   archiver.reader    name of the readers' role      archiver_reader
-- Lists are separated by commas; names are written as in SQL, "my schema"."my table", columns as they are. An empty archiver.marks means none. archiver.session decides: where it is set, archiver.marks
-- and archiver.children have no defaults.

DO $roles$
DECLARE
  custom     CONSTANT boolean := coalesce(current_setting('archiver.session', true), '') <> '';
  archiver   CONSTANT text := coalesce(nullif(current_setting('archiver.role', true), ''), 'archiver');
  reader     CONSTANT text := coalesce(nullif(current_setting('archiver.reader', true), ''), 'archiver_reader');
  sessions   CONSTANT regclass := CASE WHEN custom THEN current_setting('archiver.session') ELSE 'public.chat_sessions' END::regclass;
  marks      CONSTANT text := CASE WHEN custom THEN coalesce(current_setting('archiver.marks', true), '') ELSE 'archived, archive_location' END;
  children   CONSTANT text := CASE WHEN custom THEN coalesce(current_setting('archiver.children', true), '') ELSE 'public.chat_messages' END;
  restoring  CONSTANT boolean := coalesce(nullif(current_setting('archiver.restore', true), ''), 'off')::boolean;
  -- A comma within quotes belongs to the name.
  comma      CONSTANT text := ',(?=(?:[^"]*"[^"]*")*[^"]*$)';
  mapped     regclass;
  lockable   text;
  relation   record;
BEGIN
  -- 1 ---- the roles ---------------------------------------------------------------------------------------------------

  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = archiver) THEN
    EXECUTE format('CREATE ROLE %I LOGIN', archiver);
  END IF;
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = reader) THEN
    EXECUTE format('CREATE ROLE %I NOLOGIN', reader);
  END IF;
  -- TEMPORARY, which PUBLIC usually has: reconcile, ledger rebuild, restore drills and restores work with temporary tables.
  EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO %I', current_database(), archiver);

  -- 2 ---- the application's tables --------------------------------------------------------------------------------------

  -- SELECT to export, DELETE to delete. Row locks (FOR UPDATE) need UPDATE on some column, on every mapped table: on parents they
  -- keep new rows away, on the others they find out which session is in use. The key's column gives just that, and columns of the
  -- session that say what became of it. INSERT is for restoring only, TRUNCATE for nobody.
  FOREACH mapped IN ARRAY sessions || ARRAY(SELECT btrim(c)::regclass FROM regexp_split_to_table(children, comma) WITH ORDINALITY AS s (c, n) WHERE btrim(c) <> '' ORDER BY n) LOOP
    SELECT format('%I', a.attname)
    INTO lockable
    FROM pg_catalog.pg_attribute AS a
    LEFT JOIN pg_catalog.pg_index AS i ON i.indrelid = mapped AND i.indisprimary
    WHERE a.attrelid = mapped AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum = i.indkey[0] DESC NULLS LAST, a.attnum
    LIMIT 1;

    EXECUTE format(
      'GRANT USAGE ON SCHEMA %I TO %I',
      (SELECT n.nspname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = mapped), archiver);
    EXECUTE format('GRANT SELECT, DELETE, UPDATE (%s) ON TABLE %s TO %I', lockable, mapped, archiver);
    IF restoring THEN
      -- UPDATE is for --reactivate; a sequence is moved ahead of restored values.
      EXECUTE format('GRANT INSERT, UPDATE ON TABLE %s TO %I', mapped, archiver);
      FOR relation IN
        SELECT DISTINCT s.oid::regclass AS name
        FROM pg_catalog.pg_depend AS d
        LEFT JOIN pg_catalog.pg_attrdef AS f ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND f.oid = d.objid
        JOIN pg_catalog.pg_class AS s ON s.relkind = 'S' AND s.oid IN (d.objid, d.refobjid)
        WHERE d.refobjid = mapped OR f.adrelid = mapped
      LOOP
        EXECUTE format('GRANT USAGE, SELECT, UPDATE ON SEQUENCE %s TO %I', relation.name, archiver);
      END LOOP;
    END IF;

    IF (SELECT c.relrowsecurity FROM pg_catalog.pg_class AS c WHERE c.oid = mapped)
       AND NOT (SELECT r.rolbypassrls OR r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.rolname = archiver) THEN
      RAISE WARNING 'Row level security is on for %: runs refuse until a superuser says ALTER ROLE % BYPASSRLS', mapped, quote_ident(archiver);
    END IF;
  END LOOP;
  IF btrim(marks) <> '' THEN
    EXECUTE format(
      'GRANT UPDATE (%s) ON TABLE %s TO %I',
      (SELECT string_agg(CASE WHEN btrim(c) LIKE '"%"' THEN btrim(c) ELSE format('%I', btrim(c)) END, ', ') FROM regexp_split_to_table(marks, comma) AS c), sessions, archiver);
  END IF;

  -- 3 ---- the ledger ----------------------------------------------------------------------------------------------------

  -- The archiver owns its schema, so it can upgrade the ledger without CREATE on the database. A ledger that another role made,
  -- such as a superuser in a first trial, is handed over.
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'archiver') THEN
    EXECUTE format('CREATE SCHEMA archiver AUTHORIZATION %I', archiver);
  END IF;
  EXECUTE format('ALTER SCHEMA archiver OWNER TO %I', archiver);
  FOR relation IN
    SELECT c.oid::regclass AS name
    FROM pg_catalog.pg_class AS c
    WHERE c.relnamespace = 'archiver'::regnamespace AND c.relkind IN ('r', 'p', 'v')
  LOOP
    EXECUTE format('ALTER TABLE %s OWNER TO %I', relation.name, archiver);
  END LOOP;
  FOR relation IN SELECT p.oid::regprocedure AS name FROM pg_catalog.pg_proc AS p WHERE p.pronamespace = 'archiver'::regnamespace LOOP
    EXECUTE format('ALTER ROUTINE %s OWNER TO %I', relation.name, archiver);
  END LOOP;

  -- 4 ---- applications --------------------------------------------------------------------------------------------------

  -- GRANT archiver_reader TO your_application; it sees the lists of archived sessions and parts, no other table of the ledger.
  EXECUTE format('GRANT USAGE ON SCHEMA archiver TO %I', reader);
  IF to_regclass('archiver.archived_sessions') IS NULL THEN
    RAISE NOTICE 'There is no ledger yet: run archiver migrate as role %, then this script once more', quote_ident(archiver);
  ELSE
    EXECUTE format('GRANT SELECT ON TABLE archiver.archived_sessions TO %I', reader);
    IF to_regclass('archiver.archived_parts') IS NOT NULL THEN
      EXECUTE format('GRANT SELECT ON TABLE archiver.archived_parts TO %I', reader);
    END IF;
  END IF;
END
$roles$;

-- Not granted here, because runs do without:
--   ALTER ROLE archiver BYPASSRLS;              only where row level security is on: rows it hides would be missing from the archive
--   GRANT pg_read_all_stats TO archiver;        (or pg_monitor, which includes it) to tell since when a session is locked by others,
--                                               for Batch:MaxReplicationLag and Batch:MaxActive, for exports from a standby,
--                                               and to notice a synchronous standby that is gone before a commit waits for it
--   psql -d chat -f sql/quartz/schema.sql -c 'GRANT USAGE, CREATE ON SCHEMA archiver_quartz TO archiver'
--                                               only for Archiver:Schedule:Clustered
