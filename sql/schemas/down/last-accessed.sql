-- The way back from sql/schemas/last-accessed.sql to the tables as they were before it: without its indexes, defaults and trigger.
--
-- Needs    : the owner of the tables. Archiving itself goes on without what is dropped here, but reads whole tables.
-- Safe to re-run: yes. No row is changed; a column that holds values stays.
--            Dry run: (echo BEGIN\;; cat last-accessed.sql; echo ROLLBACK\;) | psql -v ON_ERROR_STOP=1
--            update_session_last_accessed(uuid) stays: who expects no result may call it as well.

-- 1 ---- indexes: first the former ones, so that no query is left without ------------------------------------------------

CREATE INDEX IF NOT EXISTS idx_messages_session_created_desc ON public.messages (session_id, created_at DESC);
CREATE INDEX IF NOT EXISTS idx_sessions_last_accessed ON public.sessions (last_accessed);
CREATE INDEX IF NOT EXISTS idx_sessions_user_id ON public.sessions (user_id);

DROP INDEX IF EXISTS public.messages_newest_idx;
DROP INDEX IF EXISTS public.sessions_archiving_idx;
DROP INDEX IF EXISTS public.sessions_expires_idx;
DROP INDEX IF EXISTS public.sessions_user_idx;
DROP INDEX IF EXISTS public.idx_sessions_metadata_gin;

-- 2 ---- defaults and triggers -----------------------------------------------------------------------------------------

ALTER TABLE public.sessions
  ALTER COLUMN created_at SET DEFAULT CURRENT_TIMESTAMP,
  ALTER COLUMN updated_at SET DEFAULT CURRENT_TIMESTAMP,
  ALTER COLUMN last_accessed SET DEFAULT CURRENT_TIMESTAMP;

-- The clock's default of messages was in the review; it stays.

DROP TRIGGER IF EXISTS sessions_set_updated_at ON public.sessions;
DROP FUNCTION IF EXISTS public.set_session_updated_at();

-- 3 ---- columns that only the upgrade added, where no row has anything in them ----------------------------------------

DO $columns$
DECLARE
  added record;
  used boolean;
BEGIN
  FOR added IN
    SELECT *
    FROM (VALUES
      ('sessions', 'title'),
      ('messages', 'token_count')) AS c (relation, name)
  LOOP
    CONTINUE WHEN NOT EXISTS (
      SELECT
      FROM pg_catalog.pg_attribute
      WHERE attrelid = format('public.%I', added.relation)::regclass AND attname = added.name AND NOT attisdropped);
    EXECUTE format('SELECT EXISTS (SELECT FROM public.%I WHERE %I IS NOT NULL)', added.relation, added.name) INTO used;
    IF used THEN
      RAISE NOTICE 'column % of % holds values and stays', added.name, added.relation;
    ELSE
      EXECUTE format('ALTER TABLE public.%I DROP COLUMN %I', added.relation, added.name);
    END IF;
  END LOOP;
END
$columns$;
