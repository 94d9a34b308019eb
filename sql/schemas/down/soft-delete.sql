-- The way back from sql/schemas/soft-delete.sql to the tables as they were before it: without its indexes and defaults.
--
-- Needs    : the owner of the tables. Archiving itself goes on without what is dropped here, but reads whole tables.
-- Safe to re-run: yes. No row is changed; a column that holds values stays.
--            Dry run: (echo BEGIN\;; cat soft-delete.sql; echo ROLLBACK\;) | psql -v ON_ERROR_STOP=1

-- 1 ---- indexes: first the former ones, so that no query is left without ------------------------------------------------

CREATE INDEX IF NOT EXISTS ix_chat_messages_session_id ON public.chat_messages (session_id);
CREATE INDEX IF NOT EXISTS ix_chat_sessions_last_activity ON public.chat_sessions (last_activity);

DROP INDEX IF EXISTS public.chat_messages_newest_idx;
DROP INDEX IF EXISTS public.chat_sessions_archiving_idx;
DROP INDEX IF EXISTS public.chat_sessions_deleted_idx;
DROP INDEX IF EXISTS public.chat_messages_deleted_idx;
DROP INDEX IF EXISTS public.chat_sessions_user_idx;

-- 2 ---- defaults and triggers -----------------------------------------------------------------------------------------

ALTER TABLE public.chat_sessions
  ALTER COLUMN last_activity DROP DEFAULT;

ALTER TABLE public.chat_messages
  ALTER COLUMN timestamp DROP DEFAULT;

-- 3 ---- columns that only the upgrade added, where no row has anything in them ----------------------------------------

DO $columns$
DECLARE
  added record;
  used boolean;
BEGIN
  FOR added IN
    SELECT *
    FROM (VALUES
      ('chat_sessions', 'settings'),
      ('chat_sessions', 'metadata'),
      ('chat_messages', 'tool_calls'),
      ('chat_messages', 'metadata')) AS c (relation, name)
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
