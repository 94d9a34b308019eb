-- The tables of Vercel's AI Chatbot, as its migrations make them, with 200 chats: 1 to 150 idle.
CREATE TABLE "User" (id uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL, email varchar(64) NOT NULL, password varchar(64));
CREATE TABLE "Chat" (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL, "createdAt" timestamp NOT NULL, "userId" uuid NOT NULL, title text NOT NULL, visibility varchar DEFAULT 'private' NOT NULL,
  CONSTRAINT "Chat_userId_User_id_fk" FOREIGN KEY ("userId") REFERENCES "User" (id));
CREATE TABLE "Message" (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL, "chatId" uuid NOT NULL, role varchar NOT NULL, content json NOT NULL, "createdAt" timestamp NOT NULL,
  CONSTRAINT "Message_chatId_Chat_id_fk" FOREIGN KEY ("chatId") REFERENCES "Chat" (id));
CREATE TABLE "Vote" (
  "chatId" uuid NOT NULL, "messageId" uuid NOT NULL, "isUpvoted" boolean NOT NULL, CONSTRAINT "Vote_chatId_messageId_pk" PRIMARY KEY ("chatId", "messageId"),
  CONSTRAINT "Vote_chatId_Chat_id_fk" FOREIGN KEY ("chatId") REFERENCES "Chat" (id), CONSTRAINT "Vote_messageId_Message_id_fk" FOREIGN KEY ("messageId") REFERENCES "Message" (id));
CREATE TABLE "Message_v2" (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL, "chatId" uuid NOT NULL, role varchar NOT NULL, parts json NOT NULL, attachments json NOT NULL, "createdAt" timestamp NOT NULL,
  CONSTRAINT "Message_v2_chatId_Chat_id_fk" FOREIGN KEY ("chatId") REFERENCES "Chat" (id));
CREATE TABLE "Vote_v2" (
  "chatId" uuid NOT NULL, "messageId" uuid NOT NULL, "isUpvoted" boolean NOT NULL, CONSTRAINT "Vote_v2_chatId_messageId_pk" PRIMARY KEY ("chatId", "messageId"),
  CONSTRAINT "Vote_v2_chatId_Chat_id_fk" FOREIGN KEY ("chatId") REFERENCES "Chat" (id), CONSTRAINT "Vote_v2_messageId_Message_v2_id_fk" FOREIGN KEY ("messageId") REFERENCES "Message_v2" (id));
CREATE TABLE "Stream" (
  id uuid DEFAULT gen_random_uuid() NOT NULL, "chatId" uuid NOT NULL, "createdAt" timestamp NOT NULL, CONSTRAINT "Stream_id_pk" PRIMARY KEY (id),
  CONSTRAINT "Stream_chatId_Chat_id_fk" FOREIGN KEY ("chatId") REFERENCES "Chat" (id));
CREATE TABLE "Document" (
  id uuid DEFAULT gen_random_uuid() NOT NULL, "createdAt" timestamp NOT NULL, title text NOT NULL, content text, text varchar DEFAULT 'text' NOT NULL, "userId" uuid NOT NULL,
  CONSTRAINT "Document_id_createdAt_pk" PRIMARY KEY (id, "createdAt"), CONSTRAINT "Document_userId_User_id_fk" FOREIGN KEY ("userId") REFERENCES "User" (id));

INSERT INTO "User" VALUES ('11111111-1111-1111-1111-111111111111', 'ada@example.com', 'x');
INSERT INTO "Chat" ("createdAt", "userId", title)
SELECT (now() AT TIME ZONE 'UTC') - CASE WHEN n <= 150 THEN n + 99 ELSE 1 END * interval '1 day', '11111111-1111-1111-1111-111111111111', 'Chat ' || n FROM generate_series(1, 200) AS n;
INSERT INTO "Message_v2" ("chatId", role, parts, attachments, "createdAt") SELECT id, r, '[{"type":  "text", "text": "hi"}]', '[]', "createdAt" FROM "Chat", unnest(ARRAY['user', 'assistant']) AS r;
INSERT INTO "Vote_v2" SELECT "chatId", id, true FROM "Message_v2" WHERE role = 'assistant';
INSERT INTO "Message" ("chatId", role, content, "createdAt") SELECT id, 'user', '"hi"', "createdAt" FROM "Chat";
INSERT INTO "Vote" SELECT "chatId", id, false FROM "Message";
INSERT INTO "Stream" ("chatId", "createdAt") SELECT id, "createdAt" FROM "Chat";
