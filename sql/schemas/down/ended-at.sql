-- The way back from sql/schemas/ended-at.sql to the tables as they were before it: without its indexes and defaults.
--
-- Needs    : the owner of the tables. Archiving itself goes on without what is dropped here, but reads whole tables.
-- Safe to re-run: yes. No row is changed; a column that holds values stays.
--            Dry run: (echo BEGIN\;; cat ended-at.sql; echo ROLLBACK\;) | psql -v ON_ERROR_STOP=1

-- 1 ---- indexes: first the former ones, so that no query is left without ------------------------------------------------

CREATE INDEX IF NOT EXISTS idx_messages_session ON public.chat_messages (session_id, timestamp);
CREATE INDEX IF NOT EXISTS idx_session_last_activity ON public.chat_sessions (last_activity DESC);
CREATE INDEX IF NOT EXISTS idx_session_user ON public.chat_sessions (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_session_archived ON public.chat_sessions (archived, ended_at) WHERE archived = false;

DROP INDEX IF EXISTS public.chat_messages_newest_idx;
DROP INDEX IF EXISTS public.chat_sessions_archiving_idx;
DROP INDEX IF EXISTS public.chat_sessions_ended_idx;
DROP INDEX IF EXISTS public.chat_sessions_archived_idx;
DROP INDEX IF EXISTS public.chat_sessions_user_idx;

-- 2 ---- defaults and triggers -----------------------------------------------------------------------------------------

ALTER TABLE public.chat_sessions
  ALTER COLUMN created_at SET DEFAULT now(),
  ALTER COLUMN last_activity SET DEFAULT now();

ALTER TABLE public.chat_messages
  ALTER COLUMN timestamp SET DEFAULT now();

-- 3 ---- columns that only the upgrade added, where no row has anything in them ----------------------------------------

DO $columns$
DECLARE
  added record;
  used boolean;
BEGIN
  FOR added IN
    SELECT *
    FROM (VALUES
      ('chat_messages', 'token_count')) AS c (relation, name)
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
