-- Application schema "last-accessed": sessions that count as used when they are read, not only when they are written.
--
-- Purpose  : public.sessions and public.messages as the preset `last-accessed` maps them.
-- Needs    : PostgreSQL 14 or later; a role that may create in schema public.
-- Safe to re-run: yes, and safe on the tables as they were before this script: it upgrades them, and sql/schemas/down has
--            the way back. Rows without last_accessed get their updated_at.
--            Dry run:          (echo BEGIN\;; cat last-accessed.sql; echo ROLLBACK\;) | psql -v ON_ERROR_STOP=1
--            Large live table: sed -E 's/^(CREATE|DROP) INDEX/& CONCURRENTLY/' last-accessed.sql | psql -v ON_ERROR_STOP=1
--
-- Sections : 1 tables   2 columns   3 indexes   4 functions   5 trigger   6 metadata checks

-- 1 ---- tables ------------------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS public.sessions (
  id            uuid         NOT NULL DEFAULT gen_random_uuid(),
  user_id       varchar(255) NULL,
  -- clock_timestamp(), not now(): rows written in one transaction keep the order in which they were written.
  created_at    timestamptz  NOT NULL DEFAULT clock_timestamp(),
  updated_at    timestamptz  NOT NULL DEFAULT clock_timestamp(),
  last_accessed timestamptz  NOT NULL DEFAULT clock_timestamp(),
  expires_at    timestamptz  NULL,
  title         text         NULL,
  metadata      jsonb        NULL,
  CONSTRAINT sessions_pkey PRIMARY KEY (id)
);

CREATE TABLE IF NOT EXISTS public.messages (
  id          bigserial   NOT NULL,
  session_id  uuid        NOT NULL,
  role        varchar(20) NOT NULL,
  content     text        NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  token_count integer     NULL,
  metadata    jsonb       NULL,
  CONSTRAINT messages_pkey PRIMARY KEY (id),
  CONSTRAINT messages_session_id_fkey FOREIGN KEY (session_id)
    REFERENCES public.sessions (id)
    ON DELETE CASCADE,
  CONSTRAINT messages_role_check CHECK (role IN ('user', 'assistant', 'system', 'tool')),
  CONSTRAINT messages_token_count_check CHECK (token_count >= 0)
);

-- 2 ---- columns, where the tables are older than this script ---------------------------------------------------------

ALTER TABLE public.sessions
  ADD COLUMN IF NOT EXISTS last_accessed timestamptz NULL,
  ADD COLUMN IF NOT EXISTS title text NULL;

ALTER TABLE public.messages
  ADD COLUMN IF NOT EXISTS token_count integer NULL;

-- A session that was never seen to be read was last used when it was changed. By a rewrite of the table, not by UPDATE:
-- that would fire the trigger that sets updated_at, and make every session young.
DO $fill$
BEGIN
  IF EXISTS (SELECT FROM public.sessions WHERE last_accessed IS NULL AND updated_at IS NOT NULL) THEN
    ALTER TABLE public.sessions
      ALTER COLUMN last_accessed TYPE timestamptz USING coalesce(last_accessed, updated_at);
  END IF;
END
$fill$;

-- As for new tables: rows written in one transaction keep the order in which they were written.
ALTER TABLE public.sessions
  ALTER COLUMN created_at SET DEFAULT clock_timestamp(),
  ALTER COLUMN updated_at SET DEFAULT clock_timestamp(),
  ALTER COLUMN last_accessed SET DEFAULT clock_timestamp();

ALTER TABLE public.messages
  ALTER COLUMN created_at SET DEFAULT clock_timestamp();

-- 3 ---- indexes -----------------------------------------------------------------------------------------------------

-- The last messages of a session, newest first, without a sort: id settles equal times.
-- It also serves the foreign key, whose column leads.
CREATE INDEX IF NOT EXISTS messages_newest_idx
  ON public.messages (session_id, created_at DESC, id DESC);

-- Archiving index of `IdleFor`: batches come in keyset order straight from it, whatever the size of the table.
-- updated_at needs none: a session is rarely updated without being accessed, so last_accessed excludes nearly all.
CREATE INDEX IF NOT EXISTS sessions_archiving_idx
  ON public.sessions (last_accessed, id);

-- Archiving index of `ExpiredFor`.
CREATE INDEX IF NOT EXISTS sessions_expires_idx
  ON public.sessions (expires_at, id)
  WHERE expires_at IS NOT NULL;

-- A user's sessions, latest first; also `erase --user`.
CREATE INDEX IF NOT EXISTS sessions_user_idx
  ON public.sessions (user_id, last_accessed DESC)
  WHERE user_id IS NOT NULL;

-- Filters on metadata, by containment (@>).
CREATE INDEX IF NOT EXISTS idx_sessions_metadata_gin
  ON public.sessions USING gin (metadata jsonb_path_ops);

-- What these replace: the same columns in the other direction, or less of them.
DROP INDEX IF EXISTS public.idx_messages_session_id;
DROP INDEX IF EXISTS public.idx_messages_session_created_desc;
DROP INDEX IF EXISTS public.idx_sessions_last_accessed;
DROP INDEX IF EXISTS public.idx_sessions_expires_at;
DROP INDEX IF EXISTS public.idx_sessions_user_id;

-- 4 ---- functions ---------------------------------------------------------------------------------------------------

-- One with another result or another name of its argument cannot be replaced.
DO $drop$
BEGIN
  IF EXISTS (
    SELECT
    FROM pg_catalog.pg_proc AS p
    WHERE p.oid = to_regprocedure('public.update_session_last_accessed(uuid)')
      AND (p.prorettype <> 'boolean'::regtype OR p.proargnames IS DISTINCT FROM '{p_session_id}'::text[])) THEN
    DROP FUNCTION public.update_session_last_accessed(uuid);
  END IF;
END
$drop$;

-- Call it when a session is read. True: the session is here; false: it is not, and may be in the archive.
CREATE OR REPLACE FUNCTION public.update_session_last_accessed(p_session_id uuid)
RETURNS boolean
LANGUAGE plpgsql
VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
  UPDATE public.sessions AS s
  SET last_accessed = clock_timestamp()
  WHERE s.id = p_session_id;

  RETURN FOUND;
END
$body$;

COMMENT ON FUNCTION public.update_session_last_accessed(uuid) IS
  'Notes that a session was read. Leaves updated_at alone. Returns whether the session exists.';

CREATE OR REPLACE FUNCTION public.set_session_updated_at()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
  changed public.sessions := NEW;
BEGIN
  -- A time that the statement sets itself is kept: imports and repairs bring their own.
  IF NEW.updated_at IS DISTINCT FROM OLD.updated_at THEN
    RETURN NEW;
  END IF;

  -- Being read is not being changed, and neither is an UPDATE that changes nothing. Compared as images (*<>), because
  -- types without equality, such as json, may be added to the table.
  changed.last_accessed := OLD.last_accessed;
  IF changed OPERATOR(pg_catalog.*<>) OLD THEN
    NEW.updated_at := clock_timestamp();
  END IF;

  RETURN NEW;
END
$body$;

-- 5 ---- trigger -----------------------------------------------------------------------------------------------------

CREATE OR REPLACE TRIGGER sessions_set_updated_at
  BEFORE UPDATE ON public.sessions
  FOR EACH ROW
  EXECUTE FUNCTION public.set_session_updated_at();

-- 6 ---- metadata checks, only where pg_jsonschema can be used --------------------------------------------------------

DO $checks$
DECLARE
  -- JSON null is allowed: it is not SQL NULL, and both are in use.
  document_schema CONSTANT text := '{"type": ["object", "null"]}';
  extension_schema text;
  target text;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'pg_jsonschema') THEN
    RETURN;
  END IF;

  BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_jsonschema;
  EXCEPTION
    WHEN insufficient_privilege THEN
      RAISE NOTICE 'pg_jsonschema is available, but this role may not create it: metadata stays unchecked';
      RETURN;
  END;

  SELECT n.nspname
  INTO STRICT extension_schema
  FROM pg_catalog.pg_extension AS e
  JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
  WHERE e.extname = 'pg_jsonschema';

  FOREACH target IN ARRAY ARRAY['sessions', 'messages'] LOOP
    CONTINUE WHEN EXISTS (
      SELECT
      FROM pg_catalog.pg_constraint
      WHERE conrelid = format('public.%I', target)::regclass
        AND conname = target || '_metadata_check');

    -- NOT VALID: rows that are already there stay as they are, new ones are checked.
    EXECUTE format(
      'ALTER TABLE public.%I ADD CONSTRAINT %I CHECK (%I.jsonb_matches_schema(%L::json, metadata)) NOT VALID',
      target, target || '_metadata_check', extension_schema, document_schema);
  END LOOP;
END
$checks$;
