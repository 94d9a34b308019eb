-- Application schema "status-expiry": sessions of a RAG application with a status, an expiry and message embeddings.
--
-- Purpose  : public.sessions and public.messages as the preset `status-expiry` maps them.
-- Needs    : PostgreSQL 14 or later; a role that may create in schema public. pgvector and pg_jsonschema are used
--            where the server has them, and not missed where it has not.
-- Safe to re-run: yes, and safe on the tables as they were before this script: it upgrades them, and sql/schemas/down has
--            the way back. No row is changed.
--            Dry run:          (echo BEGIN\;; cat status-expiry.sql; echo ROLLBACK\;) | psql -v ON_ERROR_STOP=1
--            Large live table: sed -E 's/^(CREATE|DROP) INDEX/& CONCURRENTLY/' status-expiry.sql | psql -v ON_ERROR_STOP=1
--
-- Sections : 1 tables   2 columns   3 embedding   4 indexes   5 functions   6 trigger   7 metadata checks

-- 1 ---- tables ------------------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS public.sessions (
  id         uuid         NOT NULL DEFAULT gen_random_uuid(),
  session_id text         NOT NULL,  -- the id that applications know; the key is internal
  user_id    varchar(255) NULL,
  status     text         NOT NULL DEFAULT 'active',
  -- clock_timestamp(), not now(): rows written in one transaction keep the order in which they were written.
  created_at timestamptz  NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz  NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz  NULL,  -- NULL: never expires
  title      text         NULL,
  metadata   jsonb        NULL,
  CONSTRAINT sessions_pkey PRIMARY KEY (id),
  CONSTRAINT sessions_session_id_key UNIQUE (session_id),
  CONSTRAINT sessions_status_check CHECK (status IN ('active', 'archived', 'expired'))
);

CREATE TABLE IF NOT EXISTS public.messages (
  id          bigserial   NOT NULL,
  session_id  uuid        NOT NULL,  -- sessions.id, not the external id of the same name
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
  ADD COLUMN IF NOT EXISTS user_id varchar(255) NULL,
  ADD COLUMN IF NOT EXISTS title text NULL,
  ADD COLUMN IF NOT EXISTS message_count integer NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS total_tokens integer NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS meta jsonb NULL DEFAULT '{}'::jsonb,
  ADD COLUMN IF NOT EXISTS metadata jsonb NULL;

ALTER TABLE public.messages
  ADD COLUMN IF NOT EXISTS meta jsonb NULL DEFAULT '{}'::jsonb,
  ADD COLUMN IF NOT EXISTS metadata jsonb NULL;

-- As for new tables: rows written in one transaction keep the order in which they were written.
ALTER TABLE public.sessions
  ALTER COLUMN created_at SET DEFAULT clock_timestamp(),
  ALTER COLUMN updated_at SET DEFAULT clock_timestamp();

ALTER TABLE public.messages
  ALTER COLUMN created_at SET DEFAULT clock_timestamp();

-- 3 ---- embedding ---------------------------------------------------------------------------------------------------

-- vector(1536) with pgvector, else real[], so that the application can store embeddings and the archive carries them
-- either way. A column that exists is left as it is. To convert it once pgvector is there (rewrites the table):
--   ALTER TABLE public.messages ALTER COLUMN embedding TYPE vector(1536) USING embedding::vector(1536);
-- No nearest-neighbour index: it would make every archived message expensive to delete, and it is the application's choice.
DO $embedding$
DECLARE
  column_type text;
BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'vector') THEN
    BEGIN
      CREATE EXTENSION IF NOT EXISTS vector;
    EXCEPTION
      WHEN insufficient_privilege THEN
        RAISE NOTICE 'pgvector is available, but this role may not create it: a new embedding column becomes real[]';
    END;
  END IF;

  -- By its schema: not every installation has the extension in the search path.
  SELECT format('%I.vector(1536)', n.nspname)
  INTO column_type
  FROM pg_catalog.pg_extension AS e
  JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
  WHERE e.extname = 'vector';

  EXECUTE format(
    'ALTER TABLE public.messages ADD COLUMN IF NOT EXISTS embedding %s NULL',
    coalesce(column_type, 'real[]'));
END
$embedding$;

-- 4 ---- indexes -----------------------------------------------------------------------------------------------------

-- The last messages of a session, newest first, without a sort: id settles equal times.
-- It also serves the foreign key, whose column leads.
CREATE INDEX IF NOT EXISTS messages_newest_idx
  ON public.messages (session_id, created_at DESC, id DESC);

-- Archiving index of `IdleFor`: batches come in keyset order straight from it, whatever the size of the table.
CREATE INDEX IF NOT EXISTS sessions_archiving_idx
  ON public.sessions (updated_at, id);

-- Archiving index of `ExpiredFor`.
CREATE INDEX IF NOT EXISTS sessions_expires_idx
  ON public.sessions (expires_at, id)
  WHERE expires_at IS NOT NULL;

-- What cleanup_expired_sessions() has still to do; sessions that are done leave it.
CREATE INDEX IF NOT EXISTS sessions_expiring_idx
  ON public.sessions (expires_at)
  WHERE status = 'active';

-- Sessions that are stored but whose rows stay (`Delete: Nothing`, `DeleteAfter`): few among many.
CREATE INDEX IF NOT EXISTS sessions_archived_idx
  ON public.sessions (updated_at, id)
  WHERE status = 'archived';

-- A user's sessions, latest first; also `erase --user`.
CREATE INDEX IF NOT EXISTS sessions_user_idx
  ON public.sessions (user_id, updated_at DESC)
  WHERE user_id IS NOT NULL;

-- Filters on meta, by containment (@>).
CREATE INDEX IF NOT EXISTS idx_sessions_meta
  ON public.sessions USING gin (meta jsonb_path_ops);

CREATE INDEX IF NOT EXISTS idx_messages_meta
  ON public.messages USING gin (meta jsonb_path_ops);

-- Active sessions, latest first.
CREATE INDEX IF NOT EXISTS idx_sessions_status_updated
  ON public.sessions (status, updated_at DESC);

-- What these replace: the same columns, or less of them.
DROP INDEX IF EXISTS public.idx_sessions_session_id;
DROP INDEX IF EXISTS public.idx_sessions_status;
DROP INDEX IF EXISTS public.idx_sessions_expires_at;

-- 5 ---- functions ---------------------------------------------------------------------------------------------------

-- One with other names or other columns cannot be replaced; a trigger's function not as long as the trigger is there.
DO $drop$
DECLARE
  recursive name;
BEGIN
  IF EXISTS (
    SELECT
    FROM pg_catalog.pg_proc AS p
    WHERE p.oid = to_regprocedure('public.get_session_context(text, integer)')
      AND p.proargnames IS DISTINCT FROM '{p_session_id,p_max_tokens,message_id,role,content,token_count,created_at}'::text[]) THEN
    DROP FUNCTION public.get_session_context(text, integer);
  END IF;

  IF EXISTS (
    SELECT
    FROM pg_catalog.pg_proc AS p
    WHERE p.oid = to_regprocedure('public.cleanup_expired_sessions()')
      AND p.prorettype <> 'integer'::regtype) THEN
    FOR recursive IN
      SELECT t.tgname
      FROM pg_catalog.pg_trigger AS t
      WHERE t.tgrelid = 'public.sessions'::regclass
        AND t.tgfoid = 'public.cleanup_expired_sessions()'::regprocedure
    LOOP
      EXECUTE format('DROP TRIGGER %I ON public.sessions', recursive);
    END LOOP;
    DROP FUNCTION public.cleanup_expired_sessions();
  END IF;
END
$drop$;

-- The newest messages whose tokens together fit the budget, oldest first, ready to be sent to a model.
-- Whole messages, without gaps: the first that does not fit ends it. A session that is not here, or not active, gives no rows.
CREATE OR REPLACE FUNCTION public.get_session_context(p_session_id text, p_max_tokens integer DEFAULT 4000)
RETURNS TABLE (
  message_id  public.messages.id%TYPE,
  role        public.messages.role%TYPE,
  content     text,
  token_count integer,
  created_at  timestamptz
)
LANGUAGE plpgsql
STABLE STRICT
SET search_path = pg_catalog, pg_temp
-- The planner expects the loop to be read to its end, and would sort all messages of a large session for a few.
SET enable_sort = off
AS $body$
DECLARE
  session_key uuid;
  message record;
  remaining bigint := p_max_tokens;
  oldest_time timestamptz;
  oldest_id public.messages.id%TYPE;
BEGIN
  SELECT s.id
  INTO session_key
  FROM public.sessions AS s
  WHERE s.session_id = p_session_id
    AND s.status = 'active';

  -- A loop, not a running sum() OVER: it stops reading at the budget, however long the session is.
  FOR message IN
    SELECT m.id,
           m.created_at,
           -- A message that was never counted is estimated, at four characters a token: as nothing, any number would fit.
           coalesce(m.token_count, (length(m.content) + 3) / 4) AS tokens
    FROM public.messages AS m
    WHERE m.session_id = session_key
    ORDER BY m.created_at DESC, m.id DESC
  LOOP
    remaining := remaining - message.tokens;
    EXIT WHEN remaining < 0;
    oldest_time := message.created_at;
    oldest_id := message.id;
  END LOOP;

  RETURN QUERY
    SELECT m.id, m.role, m.content, coalesce(m.token_count, (length(m.content) + 3) / 4), m.created_at
    FROM public.messages AS m
    WHERE m.session_id = session_key
      AND (m.created_at, m.id) >= (oldest_time, oldest_id)
    ORDER BY m.created_at, m.id;
END
$body$;

COMMENT ON FUNCTION public.get_session_context(text, integer) IS
  'The newest messages of an active session within a token budget, oldest first. Takes the external id.';

-- Sets the status of sessions past their expiry and returns their number. A plain function, for a timer: as a trigger
-- on sessions its own UPDATE would fire it again. Only the archiver deletes, after it has stored.
CREATE OR REPLACE FUNCTION public.cleanup_expired_sessions()
RETURNS integer
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
  expired integer;
BEGIN
  -- SKIP LOCKED: a session that somebody is writing to is not waited for, and comes with the next call.
  WITH due AS (
    SELECT s.id
    FROM public.sessions AS s
    WHERE s.status = 'active'
      AND s.expires_at < now()
    FOR UPDATE SKIP LOCKED
  )
  UPDATE public.sessions AS s
  SET status = 'expired'
  FROM due
  WHERE s.id = due.id;

  GET DIAGNOSTICS expired = ROW_COUNT;
  RETURN expired;
END
$body$;

COMMENT ON FUNCTION public.cleanup_expired_sessions() IS
  'Sets status expired on active sessions past expires_at. Returns their number. Call it from a timer.';

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

  -- Housekeeping is not activity: else the first cleanup would make every long forgotten session young again, and
  -- `IdleFor` would wait for it anew. Becoming active is activity.
  IF NEW.status IN ('archived', 'expired') THEN
    changed.status := OLD.status;
  END IF;

  -- Neither is an UPDATE that changes nothing. Compared as images (*<>), because types without equality, such as json,
  -- may be added to the table.
  IF changed OPERATOR(pg_catalog.*<>) OLD THEN
    NEW.updated_at := clock_timestamp();
  END IF;

  RETURN NEW;
END
$body$;

-- 6 ---- trigger -----------------------------------------------------------------------------------------------------

CREATE OR REPLACE TRIGGER sessions_set_updated_at
  BEFORE UPDATE ON public.sessions
  FOR EACH ROW
  EXECUTE FUNCTION public.set_session_updated_at();

-- 7 ---- metadata checks, only where pg_jsonschema can be used --------------------------------------------------------

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
