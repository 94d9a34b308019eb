-- Flowise's tables of a chat, as its migrations make them, with 200 chats: 1 to 150 idle.
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE TABLE chat_message (
  id uuid NOT NULL DEFAULT uuid_generate_v4(), role varchar NOT NULL, chatflowid uuid NOT NULL, content text NOT NULL, "sourceDocuments" text, "createdDate" timestamp NOT NULL DEFAULT now(),
  "chatType" varchar NOT NULL DEFAULT 'INTERNAL', "chatId" varchar NOT NULL, "memoryType" varchar, "sessionId" varchar, "usedTools" text, "fileAnnotations" text, "fileUploads" text,
  "leadEmail" text, "agentReasoning" text, action text, artifacts text, "followUpPrompts" text, "executionId" uuid, "reasonContent" text,
  CONSTRAINT "PK_3cc0d85193aade457d3077dd06b" PRIMARY KEY (id));
CREATE INDEX "IDX_e574527322272fd838f4f0f3d3" ON chat_message (chatflowid);
CREATE TABLE chat_message_feedback (
  id uuid NOT NULL DEFAULT uuid_generate_v4(), chatflowid uuid NOT NULL, content text, "chatId" varchar NOT NULL, "messageId" uuid NOT NULL, rating varchar NOT NULL,
  "createdDate" timestamp NOT NULL DEFAULT now(), CONSTRAINT "PK_98419043dd704f54-9830ab78f9" PRIMARY KEY (id), CONSTRAINT "UQ_6352078b5a294f2d22179ea7956" UNIQUE ("messageId"));
CREATE INDEX "IDX_f56c36fe42894d57e5c664d230" ON chat_message_feedback (chatflowid);
CREATE INDEX "IDX_9acddcb7a2b51fe37669049fc6" ON chat_message_feedback ("chatId");

INSERT INTO chat_message (role, chatflowid, content, "chatId", "sessionId", "memoryType", "createdDate")
SELECT r, '11111111-1111-1111-1111-111111111111', 'Hello ' || n, 'chat-' || n, 'chat-' || n, 'Buffer Memory', at
FROM (SELECT n, (now() AT TIME ZONE 'UTC') - CASE WHEN n <= 150 THEN n + 99 ELSE 1 END * interval '1 day' AS at FROM generate_series(1, 200) AS n) AS t, unnest(ARRAY['userMessage', 'apiMessage']) AS r;
INSERT INTO chat_message_feedback (chatflowid, "chatId", "messageId", rating, "createdDate") SELECT chatflowid, "chatId", id, 'THUMBS_UP', "createdDate" FROM chat_message WHERE role = 'apiMessage';
