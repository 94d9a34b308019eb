-- Application schema "soft-delete": chats as an ORM writes them, where users delete by setting a time.
--
-- Purpose  : public.chat_sessions and public.chat_messages as the preset `soft-delete` maps them.
-- Needs    : PostgreSQL 14 or later; a role that may create in schema public.
-- Safe to re-run: yes, and safe on the tables as they were before this script: it upgrades them, and sql/schemas/down has
--            the way back. No row is changed.
--            Dry run:          (echo BEGIN\;; cat soft-delete.sql; echo ROLLBACK\;) | psql -v ON_ERROR_STOP=1
--            Large live table: sed -E 's/^(CREATE|DROP) INDEX/& CONCURRENTLY/' soft-delete.sql | psql -v ON_ERROR_STOP=1
--
-- Sections : 1 tables   2 columns   3 indexes   4 metadata checks
--
-- The json columns are json on purpose, not jsonb: ORMs create them so, and json keeps the text as it was written, with
-- the order of keys, duplicate keys and blanks. last_activity and timestamp are without time zone for the same reason;
-- they hold UTC, as the setting `TimeZone` of the source says.

-- 1 ---- tables ------------------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS public.chat_sessions (
  id            uuid         NOT NULL DEFAULT gen_random_uuid(),  -- or text, as some ORMs write it
  user_id       varchar(255) NULL,
  title         text         NULL,
  -- clock_timestamp(), not now(): rows written in one transaction keep the order in which they were written.
  created_at    timestamptz  NOT NULL DEFAULT clock_timestamp(),
  last_activity timestamp    NOT NULL DEFAULT (clock_timestamp() AT TIME ZONE 'UTC'),
  deleted_at    timestamptz  NULL,  -- set: the user deleted the session
  settings      json         NULL,
  metadata      json         NULL,
  CONSTRAINT chat_sessions_pkey PRIMARY KEY (id)
);

CREATE TABLE IF NOT EXISTS public.chat_messages (
  id         uuid        NOT NULL DEFAULT gen_random_uuid(),
  session_id uuid        NOT NULL,
  sequence   integer     NOT NULL DEFAULT 0,  -- position in the session; where it is not counted, the time decides
  timestamp  timestamp   NOT NULL DEFAULT (clock_timestamp() AT TIME ZONE 'UTC'),
  role       varchar(20) NOT NULL,
  content    text        NOT NULL,
  tool_calls json        NULL,
  metadata   json        NULL,
  deleted_at timestamptz NULL,  -- set: the user deleted the message, or its session
  CONSTRAINT chat_messages_pkey PRIMARY KEY (id),
  -- No cascade: users delete by deleted_at, and a DELETE of a session with messages is a mistake.
  CONSTRAINT chat_messages_session_id_fkey FOREIGN KEY (session_id)
    REFERENCES public.chat_sessions (id),
  CONSTRAINT chat_messages_role_check CHECK (role IN ('user', 'assistant', 'system', 'tool')),
  CONSTRAINT chat_messages_sequence_check CHECK (sequence >= 0)
);

-- 2 ---- columns, where the tables are older than this script ---------------------------------------------------------

ALTER TABLE public.chat_sessions
  ADD COLUMN IF NOT EXISTS message_count integer NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS total_tokens integer NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS session_metadata json NULL,
  ADD COLUMN IF NOT EXISTS settings json NULL,
  ADD COLUMN IF NOT EXISTS metadata json NULL,
  ADD COLUMN IF NOT EXISTS deleted_at timestamptz NULL;

ALTER TABLE public.chat_messages
  ADD COLUMN IF NOT EXISTS sequence integer NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS tokens_used integer NULL,
  ADD COLUMN IF NOT EXISTS model_version varchar(100) NULL,
  ADD COLUMN IF NOT EXISTS context_documents json NULL,
  ADD COLUMN IF NOT EXISTS message_metadata json NULL,
  ADD COLUMN IF NOT EXISTS tool_calls json NULL,
  ADD COLUMN IF NOT EXISTS metadata json NULL,
  ADD COLUMN IF NOT EXISTS deleted_at timestamptz NULL;

-- As for new tables. They hold UTC whatever their type says and whatever the zone of the session that inserts is.
ALTER TABLE public.chat_sessions
  ALTER COLUMN last_activity SET DEFAULT (clock_timestamp() AT TIME ZONE 'UTC');

ALTER TABLE public.chat_messages
  ALTER COLUMN timestamp SET DEFAULT (clock_timestamp() AT TIME ZONE 'UTC');

-- 3 ---- indexes -----------------------------------------------------------------------------------------------------

-- The last messages of a session, newest first, without a sort: times settle equal sequences, ids equal times.
-- It also serves the foreign key, whose column leads; not partial, because the archiver takes deleted messages too.
CREATE INDEX IF NOT EXISTS chat_messages_newest_idx
  ON public.chat_messages (session_id, sequence DESC, timestamp DESC, id DESC);

-- Archiving index of `IdleFor`: batches come in keyset order straight from it, whatever the size of the table.
CREATE INDEX IF NOT EXISTS chat_sessions_archiving_idx
  ON public.chat_sessions (last_activity, id);

-- Archiving indexes of `DeletedFor`, for sessions and (`Scope: Messages`) for messages of sessions that stay.
CREATE INDEX IF NOT EXISTS chat_sessions_deleted_idx
  ON public.chat_sessions (deleted_at, id)
  WHERE deleted_at IS NOT NULL;

CREATE INDEX IF NOT EXISTS chat_messages_deleted_idx
  ON public.chat_messages (deleted_at, id)
  WHERE deleted_at IS NOT NULL;

-- A user's sessions as the application lists them, latest first, without the deleted ones.
CREATE INDEX IF NOT EXISTS chat_sessions_user_idx
  ON public.chat_sessions (user_id, last_activity DESC)
  WHERE deleted_at IS NULL;

-- What these replace: the same columns, or less of them. ix_chat_sessions_user_id stays, for sessions that were deleted.
DROP INDEX IF EXISTS public.ix_chat_messages_session_id;
DROP INDEX IF EXISTS public.ix_chat_sessions_last_activity;

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
      'ALTER TABLE public.%I ADD CONSTRAINT %I CHECK (%I.json_matches_schema(%L::json, metadata)) NOT VALID',
      target, target || '_metadata_check', extension_schema, document_schema);
  END LOOP;
END
$checks$;
