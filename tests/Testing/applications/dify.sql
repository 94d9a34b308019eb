-- Dify's tables of a conversation, as its models and migrations have them, with 200 conversations: 1 to 150 idle.
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE TABLE conversations (
  id uuid DEFAULT uuid_generate_v4(), app_id uuid NOT NULL, app_model_config_id uuid, model_provider varchar(255), override_model_configs text, model_id varchar(255),
  mode varchar(255) NOT NULL, name varchar(255) NOT NULL, summary text, inputs json NOT NULL, introduction text, system_instruction text,
  system_instruction_tokens int NOT NULL DEFAULT 0, status varchar(255) NOT NULL, invoke_from varchar(255), from_source varchar(255) NOT NULL,
  from_end_user_id uuid, from_account_id uuid, read_at timestamp, read_account_id uuid, dialogue_count int NOT NULL DEFAULT 0,
  created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, updated_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, is_deleted boolean NOT NULL DEFAULT false,
  CONSTRAINT conversation_pkey PRIMARY KEY (id));
CREATE INDEX conversation_app_from_user_idx ON conversations (app_id, from_source, from_end_user_id);
CREATE TABLE messages (
  id uuid DEFAULT uuid_generate_v4(), app_id uuid NOT NULL, model_provider varchar(255), model_id varchar(255), override_model_configs text,
  conversation_id uuid NOT NULL REFERENCES conversations (id), inputs json NOT NULL, query text NOT NULL, message json NOT NULL, message_tokens int NOT NULL DEFAULT 0,
  message_unit_price numeric(10,4) NOT NULL, message_price_unit numeric(10,7) NOT NULL DEFAULT 0.001, answer text NOT NULL, answer_tokens int NOT NULL DEFAULT 0,
  answer_unit_price numeric(10,4) NOT NULL, answer_price_unit numeric(10,7) NOT NULL DEFAULT 0.001, parent_message_id uuid,
  provider_response_latency double precision NOT NULL DEFAULT 0, total_price numeric(10,7), currency varchar(255) NOT NULL, status varchar(255) NOT NULL DEFAULT 'normal',
  error text, message_metadata text, invoke_from varchar(255), from_source varchar(255) NOT NULL, from_end_user_id uuid, from_account_id uuid,
  created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, updated_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, agent_based boolean NOT NULL DEFAULT false, workflow_run_id uuid,
  CONSTRAINT message_pkey PRIMARY KEY (id));
CREATE INDEX message_app_id_idx ON messages (app_id, created_at);
CREATE INDEX message_conversation_id_idx ON messages (conversation_id);
CREATE INDEX message_end_user_idx ON messages (app_id, from_source, from_end_user_id);
CREATE INDEX message_account_idx ON messages (app_id, from_source, from_account_id);
CREATE INDEX message_workflow_run_id_idx ON messages (conversation_id, workflow_run_id);
CREATE INDEX message_created_at_idx ON messages (created_at);
CREATE TABLE message_feedbacks (
  id uuid DEFAULT uuid_generate_v4(), app_id uuid NOT NULL, conversation_id uuid NOT NULL, message_id uuid NOT NULL, rating varchar(255) NOT NULL, content text,
  from_source varchar(255) NOT NULL, from_end_user_id uuid, from_account_id uuid, created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, CONSTRAINT message_feedback_pkey PRIMARY KEY (id));
CREATE INDEX message_feedback_app_idx ON message_feedbacks (app_id);
CREATE INDEX message_feedback_message_idx ON message_feedbacks (message_id, from_source);
CREATE INDEX message_feedback_conversation_idx ON message_feedbacks (conversation_id, from_source, rating);
CREATE TABLE message_files (
  id uuid DEFAULT uuid_generate_v4(), message_id uuid NOT NULL, type varchar(255) NOT NULL, transfer_method varchar(255) NOT NULL, url text, belongs_to varchar(255),
  upload_file_id uuid, created_by_role varchar(255) NOT NULL, created_by uuid NOT NULL, created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT message_file_pkey PRIMARY KEY (id));
CREATE INDEX message_file_message_idx ON message_files (message_id);
CREATE INDEX message_file_created_by_idx ON message_files (created_by);
CREATE TABLE message_annotations (
  id uuid DEFAULT uuid_generate_v4(), app_id uuid NOT NULL, conversation_id uuid REFERENCES conversations (id), message_id uuid, question text, content text NOT NULL,
  hit_count int NOT NULL DEFAULT 0, account_id uuid NOT NULL, created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, updated_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT message_annotation_pkey PRIMARY KEY (id));
CREATE INDEX message_annotation_app_idx ON message_annotations (app_id);
CREATE INDEX message_annotation_conversation_idx ON message_annotations (conversation_id);
CREATE INDEX message_annotation_message_idx ON message_annotations (message_id);
CREATE TABLE message_chains (
  id uuid DEFAULT uuid_generate_v4(), message_id uuid NOT NULL, type varchar(255) NOT NULL, input text, output text, created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT message_chain_pkey PRIMARY KEY (id));
CREATE INDEX message_chain_message_id_idx ON message_chains (message_id);
CREATE TABLE message_agent_thoughts (
  id uuid DEFAULT uuid_generate_v4(), message_id uuid NOT NULL, message_chain_id uuid, position int NOT NULL, thought text, tool text, tool_labels_str text NOT NULL DEFAULT '{}',
  tool_meta_str text NOT NULL DEFAULT '{}', tool_input text, observation text, latency double precision, created_by_role varchar NOT NULL, created_by uuid NOT NULL,
  created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, CONSTRAINT message_agent_thought_pkey PRIMARY KEY (id));
CREATE INDEX message_agent_thought_message_id_idx ON message_agent_thoughts (message_id);
CREATE INDEX message_agent_thought_message_chain_id_idx ON message_agent_thoughts (message_chain_id);
CREATE TABLE workflow_conversation_variables (
  id uuid NOT NULL, conversation_id uuid NOT NULL, app_id uuid NOT NULL, data text NOT NULL, created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, CONSTRAINT workflow_conversation_variables_pkey PRIMARY KEY (id, conversation_id));
CREATE INDEX workflow_conversation_variables_conversation_id_idx ON workflow_conversation_variables (conversation_id);

CREATE TEMP TABLE n AS SELECT n, uuid_generate_v4() AS id, (now() AT TIME ZONE 'UTC') - CASE WHEN n <= 150 THEN n + 99 ELSE 1 END * interval '1 day' AS at FROM generate_series(1, 200) AS n;
INSERT INTO conversations (id, app_id, mode, name, inputs, status, from_source, from_end_user_id, dialogue_count, created_at, updated_at)
SELECT id, '11111111-1111-1111-1111-111111111111', 'advanced-chat', 'New conversation', '{"name":  "Ada"}', 'normal', 'api', '22222222-2222-2222-2222-222222222222', 2, at, at FROM n;
INSERT INTO messages (id, app_id, conversation_id, inputs, query, message, message_unit_price, answer, answer_unit_price, total_price, currency, from_source, created_at, updated_at)
SELECT uuid_generate_v4(), '11111111-1111-1111-1111-111111111111', id, '{}', 'What is ' || n || '?', '[{"role": "user", "text": "hi"}]', 0.0010, 'It is…', 0.0020, 0.0001230, 'USD', 'api', at, at
FROM n, generate_series(1, 2);
INSERT INTO message_feedbacks (app_id, conversation_id, message_id, rating, from_source, created_at) SELECT app_id, conversation_id, id, 'like', 'user', created_at FROM messages;
INSERT INTO message_files (message_id, type, transfer_method, created_by_role, created_by, created_at) SELECT id, 'image', 'local_file', 'end_user', app_id, created_at FROM messages;
INSERT INTO message_chains (message_id, type, input, created_at) SELECT id, 'agent', 'x', created_at FROM messages;
INSERT INTO message_agent_thoughts (message_id, position, thought, created_by_role, created_by, created_at) SELECT id, p, 'Let me see', 'end_user', app_id, created_at FROM messages, generate_series(1, 2) AS p;
INSERT INTO workflow_conversation_variables (id, conversation_id, app_id, data, created_at, updated_at) SELECT uuid_generate_v4(), id, app_id, '{"value": 1}', created_at, created_at FROM conversations;
