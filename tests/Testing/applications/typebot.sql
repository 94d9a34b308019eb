-- Typebot's tables of a result, as Prisma makes them, with 200 results: 1 to 150 idle.
CREATE TABLE "Typebot" (id text PRIMARY KEY, name text NOT NULL);
CREATE TABLE "Result" (
  id text NOT NULL, "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP, "typebotId" text NOT NULL, variables jsonb NOT NULL, "isCompleted" boolean NOT NULL,
  "hasStarted" boolean, "isArchived" boolean DEFAULT false, "lastChatSessionId" text, CONSTRAINT "Result_pkey" PRIMARY KEY (id),
  CONSTRAINT "Result_typebotId_fkey" FOREIGN KEY ("typebotId") REFERENCES "Typebot" (id) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE INDEX "Result_typebotId_hasStarted_createdAt_idx" ON "Result" ("typebotId", "hasStarted", "createdAt" DESC);
CREATE INDEX "Result_typebotId_isCompleted_idx" ON "Result" ("typebotId", "isCompleted");
CREATE TABLE "SetVariableHistoryItem" (
  "resultId" text NOT NULL, index int NOT NULL, "variableId" text NOT NULL, "blockId" text NOT NULL, "blockIndex" int, value jsonb NOT NULL,
  CONSTRAINT "SetVariableHistoryItem_resultId_fkey" FOREIGN KEY ("resultId") REFERENCES "Result" (id) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE UNIQUE INDEX "SetVariableHistoryItem_resultId_index_key" ON "SetVariableHistoryItem" ("resultId", index);
CREATE TABLE "VisitedEdge" (
  "resultId" text NOT NULL, "edgeId" text NOT NULL, index int NOT NULL,
  CONSTRAINT "VisitedEdge_resultId_fkey" FOREIGN KEY ("resultId") REFERENCES "Result" (id) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE UNIQUE INDEX "VisitedEdge_resultId_index_key" ON "VisitedEdge" ("resultId", index);
CREATE TABLE "Log" (
  id text NOT NULL, "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP, "resultId" text NOT NULL, status text NOT NULL, context text, description text NOT NULL, details text,
  CONSTRAINT "Log_pkey" PRIMARY KEY (id), CONSTRAINT "Log_resultId_fkey" FOREIGN KEY ("resultId") REFERENCES "Result" (id) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE INDEX "Log_resultId_idx" ON "Log" ("resultId");
CREATE TABLE "Answer" (
  "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP, "resultId" text NOT NULL, "blockId" text NOT NULL, "groupId" text NOT NULL, "variableId" text, content text NOT NULL,
  CONSTRAINT "Answer_resultId_fkey" FOREIGN KEY ("resultId") REFERENCES "Result" (id) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE UNIQUE INDEX "Answer_resultId_blockId_groupId_key" ON "Answer" ("resultId", "blockId", "groupId");
CREATE TABLE "AnswerV2" (
  id serial NOT NULL, "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP, "blockId" text NOT NULL, content text NOT NULL, "attachedFileUrls" jsonb, "resultId" text NOT NULL,
  CONSTRAINT "AnswerV2_pkey" PRIMARY KEY (id), CONSTRAINT "AnswerV2_resultId_fkey" FOREIGN KEY ("resultId") REFERENCES "Result" (id) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE INDEX "AnswerV2_blockId_idx" ON "AnswerV2" ("blockId");

INSERT INTO "Typebot" VALUES ('bot', 'Bot');
INSERT INTO "Result" (id, "createdAt", "typebotId", variables, "isCompleted", "hasStarted")
SELECT 'cl' || n, (now() AT TIME ZONE 'UTC') - CASE WHEN n <= 150 THEN n + 99 ELSE 1 END * interval '1 day', 'bot', '[{"id": "v1", "value": "é"}]', n % 2 = 0, true FROM generate_series(1, 200) AS n;
INSERT INTO "AnswerV2" ("createdAt", "blockId", content, "resultId") SELECT "createdAt", 'block' || i, 'answer ' || i, id FROM "Result", generate_series(1, 3) AS i;
INSERT INTO "Answer" ("createdAt", "blockId", "groupId", "resultId", content) SELECT "createdAt", 'b', 'g', id, 'old' FROM "Result";
INSERT INTO "Log" (id, "createdAt", "resultId", status, description) SELECT 'log' || id, "createdAt", id, 'error', 'failed' FROM "Result";
INSERT INTO "VisitedEdge" SELECT id, 'edge', i FROM "Result", generate_series(0, 2) AS i;
INSERT INTO "SetVariableHistoryItem" ("resultId", index, "variableId", "blockId", value) SELECT id, i, 'v1', 'b', '"x"' FROM "Result", generate_series(0, 1) AS i;
