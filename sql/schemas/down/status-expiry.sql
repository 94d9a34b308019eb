-- The way back from sql/schemas/status-expiry.sql to the tables as they were before it: without its indexes, defaults and trigger.
--
-- Needs    : the owner of the tables. Archiving itself goes on without what is dropped here, but reads whole tables.
-- Safe to re-run: yes. No row is changed; a column that holds values stays.
--            Dry run: (echo BEGIN\;; cat status-expiry.sql; echo ROLLBACK\;) | psql -v ON_ERROR_STOP=1
--            get_session_context() and cleanup_expired_sessions() stay: the first has the former's arguments and columns;
--            the second was a trigger's function, and that trigger called itself until the server refused the INSERT.

-- 1 ---- indexes: first the former ones, so that no query is left without ------------------------------------------------

CREATE INDEX IF NOT EXISTS idx_sessions_session_id ON public.sessions (session_id);
CREATE INDEX IF NOT EXISTS idx_sessions_status ON public.sessions (status) WHERE status = 'active';
CREATE INDEX IF NOT EXISTS idx_sessions_expires_at ON public.sessions (expires_at) WHERE expires_at IS NOT NULL;

DROP INDEX IF EXISTS public.messages_newest_idx;
DROP INDEX IF EXISTS public.sessions_archiving_idx;
DROP INDEX IF EXISTS public.sessions_expires_idx;
DROP INDEX IF EXISTS public.sessions_expiring_idx;
DROP INDEX IF EXISTS public.sessions_archived_idx;
DROP INDEX IF EXISTS public.sessions_user_idx;

-- 2 ---- defaults and triggers -----------------------------------------------------------------------------------------

ALTER TABLE public.sessions
  ALTER COLUMN created_at SET DEFAULT now(),
  ALTER COLUMN updated_at SET DEFAULT now();

ALTER TABLE public.messages
  ALTER COLUMN created_at SET DEFAULT now();

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
      ('sessions', 'user_id'),
      ('sessions', 'title'),
      ('sessions', 'metadata'),
      ('messages', 'metadata')) AS c (relation, name)
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
