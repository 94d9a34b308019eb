-- n8n's tables of an execution, with 200 executions: 1 to 150 idle, but for ten of them that wait.
CREATE TABLE workflow_entity (id varchar(36) PRIMARY KEY, name varchar(128) NOT NULL);
CREATE TABLE execution_entity (
  id serial PRIMARY KEY, finished boolean NOT NULL, mode varchar NOT NULL, "retryOf" varchar, "retrySuccessId" varchar, "startedAt" timestamptz(3), "stoppedAt" timestamptz(3),
  "waitTill" timestamptz(3), status varchar NOT NULL, "workflowId" varchar(36) NOT NULL, "deletedAt" timestamptz(3), "createdAt" timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  "storedAt" varchar(2) NOT NULL DEFAULT 'db',
  CONSTRAINT fk_execution_entity_workflow_id FOREIGN KEY ("workflowId") REFERENCES workflow_entity (id) ON DELETE CASCADE);
CREATE INDEX "IDX_execution_entity_deletedAt" ON execution_entity ("deletedAt");
CREATE INDEX idx_execution_entity_stopped_at_status_deleted_at ON execution_entity ("stoppedAt", status, "deletedAt") WHERE "stoppedAt" IS NOT NULL AND "deletedAt" IS NULL;
CREATE INDEX idx_execution_entity_wait_till_status_deleted_at ON execution_entity ("waitTill", status, "deletedAt") WHERE "waitTill" IS NOT NULL AND "deletedAt" IS NULL;
CREATE INDEX idx_execution_entity_workflow_id_started_at ON execution_entity ("workflowId", "startedAt") WHERE "startedAt" IS NOT NULL AND "deletedAt" IS NULL;
CREATE TABLE execution_data ("executionId" int PRIMARY KEY REFERENCES execution_entity (id) ON DELETE CASCADE, "workflowData" json NOT NULL, data text NOT NULL);
CREATE TABLE execution_metadata (id serial PRIMARY KEY, "executionId" int NOT NULL REFERENCES execution_entity (id) ON DELETE CASCADE, key varchar(255) NOT NULL, value text NOT NULL);
CREATE UNIQUE INDEX "IDX_cec8eea3bf49551482ccb4933e" ON execution_metadata ("executionId", key);
CREATE TABLE annotation_tag_entity (id varchar(16) PRIMARY KEY, name varchar(24) NOT NULL);
CREATE TABLE execution_annotations (
  id serial PRIMARY KEY, "executionId" int NOT NULL REFERENCES execution_entity (id) ON DELETE CASCADE, vote varchar(6), note text,
  "createdAt" timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3), "updatedAt" timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3));
CREATE UNIQUE INDEX "IDX_97f863fa83c4786f1956508496" ON execution_annotations ("executionId");
CREATE TABLE execution_annotation_tags (
  "annotationId" int NOT NULL REFERENCES execution_annotations (id) ON DELETE CASCADE, "tagId" varchar(24) NOT NULL REFERENCES annotation_tag_entity (id) ON DELETE CASCADE,
  PRIMARY KEY ("annotationId", "tagId"));
CREATE INDEX "IDX_a3697779b366e131b2bbdae297" ON execution_annotation_tags ("tagId");
CREATE INDEX "IDX_c1519757391996eb06064f0e7c" ON execution_annotation_tags ("annotationId");

INSERT INTO workflow_entity VALUES ('wf', 'Answer mails');
INSERT INTO annotation_tag_entity VALUES ('good', 'good');
INSERT INTO execution_entity (finished, mode, "startedAt", "stoppedAt", status, "workflowId", "createdAt")
SELECT true, 'trigger', at, at + interval '2 seconds', 'success', 'wf', at
FROM (SELECT now() - CASE WHEN n <= 150 THEN n + 99 ELSE 1 END * interval '1 day' AS at FROM generate_series(1, 200) AS n) AS t;
INSERT INTO execution_entity (finished, mode, "startedAt", "stoppedAt", "waitTill", status, "workflowId", "createdAt")
SELECT false, 'trigger', now() - interval '200 days', now() - interval '200 days', '3000-01-01', 'waiting', 'wf', now() - interval '200 days' FROM generate_series(1, 10);
INSERT INTO execution_data SELECT id, '{"nodes":  [], "id": "wf"}', '[{"resultData":"1"},{"runData":{}}]' FROM execution_entity;
INSERT INTO execution_metadata ("executionId", key, value) SELECT id, k, 'v' FROM execution_entity, unnest(ARRAY['a', 'b']) AS k;
INSERT INTO execution_annotations ("executionId", vote, note, "createdAt", "updatedAt") SELECT id, 'up', 'fine', "createdAt", "createdAt" FROM execution_entity WHERE id % 3 = 0;
INSERT INTO execution_annotation_tags SELECT id, 'good' FROM execution_annotations;
