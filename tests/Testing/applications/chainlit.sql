-- The tables of Chainlit's SQLAlchemy data layer, as its documentation makes them, with 200 threads: 1 to 150 idle.
CREATE TABLE users ("id" UUID PRIMARY KEY, "identifier" TEXT NOT NULL UNIQUE, "metadata" JSONB NOT NULL, "createdAt" TEXT);
CREATE TABLE threads (
  "id" UUID PRIMARY KEY, "createdAt" TEXT, "name" TEXT, "userId" UUID, "userIdentifier" TEXT, "tags" TEXT[], "metadata" JSONB,
  FOREIGN KEY ("userId") REFERENCES users ("id") ON DELETE CASCADE);
CREATE TABLE steps (
  "id" UUID PRIMARY KEY, "name" TEXT NOT NULL, "type" TEXT NOT NULL, "threadId" UUID NOT NULL, "parentId" UUID, "streaming" BOOLEAN NOT NULL, "waitForAnswer" BOOLEAN, "isError" BOOLEAN,
  "metadata" JSONB, "tags" TEXT[], "input" TEXT, "output" TEXT, "createdAt" TEXT, "command" TEXT, "start" TEXT, "end" TEXT, "generation" JSONB, "showInput" TEXT, "language" TEXT,
  "indent" INT, "defaultOpen" BOOLEAN, "modes" JSONB, FOREIGN KEY ("threadId") REFERENCES threads ("id") ON DELETE CASCADE);
CREATE TABLE elements (
  "id" UUID PRIMARY KEY, "threadId" UUID, "type" TEXT, "url" TEXT, "chainlitKey" TEXT, "name" TEXT NOT NULL, "display" TEXT, "objectKey" TEXT, "size" TEXT, "page" INT, "language" TEXT,
  "forId" UUID, "mime" TEXT, "props" JSONB, FOREIGN KEY ("threadId") REFERENCES threads ("id") ON DELETE CASCADE);
CREATE TABLE feedbacks (
  "id" UUID PRIMARY KEY, "forId" UUID NOT NULL, "threadId" UUID NOT NULL, "value" INT NOT NULL, "comment" TEXT, FOREIGN KEY ("threadId") REFERENCES threads ("id") ON DELETE CASCADE);

INSERT INTO users VALUES ('11111111-1111-1111-1111-111111111111', 'ada', '{}', '2024-01-01T00:00:00.000000Z');
INSERT INTO threads
SELECT gen_random_uuid(), to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'Thread ' || n, '11111111-1111-1111-1111-111111111111', 'ada', ARRAY['a', 'b "c"'], '{"chat_profile": "gpt"}'
FROM (SELECT n, (now() AT TIME ZONE 'UTC') - CASE WHEN n <= 150 THEN n + 99 ELSE 1 END * interval '1 day' AS at FROM generate_series(1, 200) AS n) AS t;
INSERT INTO steps ("id", "name", "type", "threadId", "streaming", "output", "createdAt", "start", "end", "metadata")
SELECT gen_random_uuid(), 'on_message', t, id, false, 'hello', "createdAt", "createdAt", "createdAt", '{}' FROM threads, unnest(ARRAY['user_message', 'assistant_message']) AS t;
INSERT INTO elements ("id", "threadId", "type", "name", "forId", "objectKey") SELECT gen_random_uuid(), "threadId", 'image', 'a.png', id, 'ada/a.png' FROM steps WHERE "type" = 'user_message';
INSERT INTO feedbacks SELECT gen_random_uuid(), id, "threadId", 1, 'good' FROM steps WHERE "type" = 'assistant_message';
