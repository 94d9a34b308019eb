-- Application schema "ended-at": chats of known and anonymous users that are ended explicitly or simply left.
--
-- Purpose  : public.chat_sessions and public.chat_messages as the preset `ended-at` maps them.
-- Needs    : PostgreSQL 14 or later; a role that may create in schema public.
-- Safe to re-run: yes, and safe on the tables as they were before this script: it upgrades them, and sql/schemas/down has
--            the way back. No row is changed.
--            Dry run:          (echo BEGIN\;; cat ended-at.sql; echo ROLLBACK\;) | psql -v ON_ERROR_STOP=1
--            Large live table: sed -E 's/^(CREATE|DROP) INDEX/& CONCURRENTLY/' ended-at.sql | psql -v ON_ERROR_STOP=1
--
-- Sections : 1 tables   2 columns   3 indexes   4 metadata checks
--
-- No trigger copies message times to chat_sessions.last_activity: it would lock the session row for every message,
-- and a restore, which inserts messages, would make an old session look young.

-- 1 ---- tables ------------------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS public.chat_sessions (
  session_id       uuid         NOT NULL DEFAULT gen_random_uuid(),
  user_id          varchar(255) NULL,  -- NULL: an anonymous visitor
  session_title    text         NULL,
  -- clock_timestamp(), not now(): rows written in one transaction keep the order in which they were written.
  created_at       timestamptz  NOT NULL DEFAULT clock_timestamp(),
  last_activity    timestamptz  NOT NULL DEFAULT clock_timestamp(),
  ended_at         timestamptz  NULL,  -- NULL: never ended explicitly
  archived         boolean      NOT NULL DEFAULT false,
  archive_location text         NULL,
  metadata         jsonb        NULL,
  CONSTRAINT chat_sessions_pkey PRIMARY KEY (session_id)
);

CREATE TABLE IF NOT EXISTS public.chat_messages (
  id          bigserial   NOT NULL,
  session_id  uuid        NOT NULL,
  role        varchar(20) NOT NULL,
  content     text        NOT NULL,
  timestamp   timestamptz NOT NULL DEFAULT clock_timestamp(),
  token_count integer     NULL,
  metadata    jsonb       NULL,
  CONSTRAINT chat_messages_pkey PRIMARY KEY (id),
  CONSTRAINT chat_messages_session_id_fkey FOREIGN KEY (session_id)
    REFERENCES public.chat_sessions (session_id)
    ON DELETE CASCADE,
  CONSTRAINT chat_messages_role_check CHECK (role IN ('user', 'assistant', 'system', 'tool')),
  CONSTRAINT chat_messages_token_count_check CHECK (token_count >= 0)
);

-- 2 ---- columns, where the tables are older than this script ---------------------------------------------------------

ALTER TABLE public.chat_sessions
  ADD COLUMN IF NOT EXISTS is_anonymous boolean NULL DEFAULT true,
  ADD COLUMN IF NOT EXISTS session_mode varchar(50) NULL DEFAULT 'balanced',
  ADD COLUMN IF NOT EXISTS message_count integer NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS total_tokens integer NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS archived boolean NOT NULL DEFAULT false,
  ADD COLUMN IF NOT EXISTS archive_location text NULL;

ALTER TABLE public.chat_messages
  ADD COLUMN IF NOT EXISTS token_count integer NULL,
  ADD COLUMN IF NOT EXISTS retrieved_docs jsonb NULL,
  ADD COLUMN IF NOT EXISTS reranker_used varchar(50) NULL,
  ADD COLUMN IF NOT EXISTS tokens_used integer NULL,
  ADD COLUMN IF NOT EXISTS latency_ms integer NULL;

-- As for new tables: rows written in one transaction keep the order in which they were written.
ALTER TABLE public.chat_sessions
  ALTER COLUMN created_at SET DEFAULT clock_timestamp(),
  ALTER COLUMN last_activity SET DEFAULT clock_timestamp();

ALTER TABLE public.chat_messages
  ALTER COLUMN timestamp SET DEFAULT clock_timestamp();

-- 3 ---- indexes -----------------------------------------------------------------------------------------------------

-- The last messages of a session, newest first, without a sort: id settles equal timestamps.
-- It also serves the foreign key, whose column leads.
CREATE INDEX IF NOT EXISTS chat_messages_newest_idx
  ON public.chat_messages (session_id, timestamp DESC, id DESC);

-- Archiving index of `IdleFor`: batches come in keyset order straight from it, whatever the size of the table.
CREATE INDEX IF NOT EXISTS chat_sessions_archiving_idx
  ON public.chat_sessions (last_activity, session_id);

-- Archiving index of `EndedFor`; partial, because most sessions are left, not ended.
CREATE INDEX IF NOT EXISTS chat_sessions_ended_idx
  ON public.chat_sessions (ended_at, session_id)
  WHERE ended_at IS NOT NULL;

-- Sessions that are stored but whose rows stay (`Delete: Nothing`, `DeleteAfter`): few among many.
CREATE INDEX IF NOT EXISTS chat_sessions_archived_idx
  ON public.chat_sessions (last_activity, session_id)
  WHERE archived;

-- A user's sessions, latest first; also `erase --user`.
CREATE INDEX IF NOT EXISTS chat_sessions_user_idx
  ON public.chat_sessions (user_id, last_activity DESC)
  WHERE user_id IS NOT NULL;

-- Filters on metadata and on what an answer was made from, by containment (@>).
CREATE INDEX IF NOT EXISTS idx_session_metadata_gin
  ON public.chat_sessions USING gin (metadata jsonb_path_ops);

CREATE INDEX IF NOT EXISTS idx_messages_retrieved_gin
  ON public.chat_messages USING gin (retrieved_docs jsonb_path_ops);

-- What these replace: the same columns in the other order or direction, or less of them.
DROP INDEX IF EXISTS public.idx_messages_session;
DROP INDEX IF EXISTS public.idx_session_last_activity;
DROP INDEX IF EXISTS public.idx_session_user;
DROP INDEX IF EXISTS public.idx_session_archived;

-- 4 ---- metadata checks, only where pg_jsonschema can be used --------------------------------------------------------

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

  FOREACH target IN ARRAY ARRAY['chat_sessions', 'chat_messages'] LOOP
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
