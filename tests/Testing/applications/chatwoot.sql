-- Chatwoot's tables of a conversation, as its schema.rb makes them (without the search indexes), with its triggers and 200 conversations: 1 to 150 idle.
CREATE TABLE accounts (id serial PRIMARY KEY, name varchar NOT NULL);
CREATE TABLE conversations (
  id serial PRIMARY KEY, account_id int NOT NULL, inbox_id int NOT NULL, status int NOT NULL DEFAULT 0, assignee_id int, created_at timestamp NOT NULL, updated_at timestamp NOT NULL,
  contact_id bigint, display_id int NOT NULL, contact_last_seen_at timestamp, agent_last_seen_at timestamp, additional_attributes jsonb DEFAULT '{}', contact_inbox_id bigint,
  uuid uuid NOT NULL DEFAULT gen_random_uuid(), identifier varchar, last_activity_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, team_id bigint, campaign_id bigint,
  snoozed_until timestamp, custom_attributes jsonb DEFAULT '{}', assignee_last_seen_at timestamp, first_reply_created_at timestamp, priority int, sla_policy_id bigint,
  waiting_since timestamp(6), cached_label_list text);
CREATE UNIQUE INDEX index_conversations_on_account_id_and_display_id ON conversations (account_id, display_id);
CREATE INDEX index_conversations_on_id_and_account_id ON conversations (account_id, id);
CREATE INDEX conv_acid_inbid_stat_asgnid_idx ON conversations (account_id, inbox_id, status, assignee_id);
CREATE INDEX index_conversations_on_contact_id ON conversations (contact_id);
CREATE UNIQUE INDEX index_conversations_on_uuid ON conversations (uuid);
CREATE TABLE messages (
  id serial PRIMARY KEY, content text, account_id int NOT NULL, inbox_id int NOT NULL, conversation_id int NOT NULL, message_type int NOT NULL, created_at timestamp NOT NULL,
  updated_at timestamp NOT NULL, private boolean NOT NULL DEFAULT false, status int DEFAULT 0, source_id varchar, content_type int NOT NULL DEFAULT 0, content_attributes json DEFAULT '{}',
  sender_type varchar, sender_id bigint, external_source_ids jsonb DEFAULT '{}', additional_attributes jsonb DEFAULT '{}', processed_message_content text, sentiment jsonb DEFAULT '{}');
CREATE INDEX index_messages_on_conversation_id ON messages (conversation_id);
CREATE INDEX index_messages_on_conversation_account_type_created ON messages (conversation_id, account_id, message_type, created_at);
CREATE INDEX index_messages_on_created_at ON messages (created_at);
CREATE TABLE attachments (
  id serial PRIMARY KEY, file_type int DEFAULT 0, external_url varchar, coordinates_lat double precision DEFAULT 0, coordinates_long double precision DEFAULT 0, message_id int NOT NULL,
  account_id int NOT NULL, created_at timestamp NOT NULL, updated_at timestamp NOT NULL, fallback_title varchar, extension varchar, meta jsonb DEFAULT '{}');
CREATE INDEX index_attachments_on_account_id ON attachments (account_id);
CREATE INDEX index_attachments_on_message_id ON attachments (message_id);
CREATE TABLE csat_survey_responses (
  id bigserial PRIMARY KEY, account_id bigint NOT NULL, conversation_id bigint NOT NULL, message_id bigint NOT NULL, rating int NOT NULL, feedback_message text, contact_id bigint NOT NULL,
  assigned_agent_id bigint, created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL);
CREATE INDEX index_csat_survey_responses_on_conversation_id ON csat_survey_responses (conversation_id);
CREATE UNIQUE INDEX index_csat_survey_responses_on_message_id ON csat_survey_responses (message_id);
CREATE TABLE conversation_participants (
  id bigserial PRIMARY KEY, account_id bigint NOT NULL, user_id bigint NOT NULL, conversation_id bigint NOT NULL, created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL);
CREATE INDEX index_conversation_participants_on_conversation_id ON conversation_participants (conversation_id);
CREATE UNIQUE INDEX index_conversation_participants_on_user_id_and_conversation_id ON conversation_participants (user_id, conversation_id);
CREATE TABLE mentions (
  id bigserial PRIMARY KEY, user_id bigint NOT NULL, conversation_id bigint NOT NULL, account_id bigint NOT NULL, mentioned_at timestamp NOT NULL, created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL);
CREATE INDEX index_mentions_on_conversation_id ON mentions (conversation_id);
CREATE UNIQUE INDEX index_mentions_on_user_id_and_conversation_id ON mentions (user_id, conversation_id);
CREATE TABLE applied_slas (
  id bigserial PRIMARY KEY, account_id bigint NOT NULL, sla_policy_id bigint NOT NULL, conversation_id bigint NOT NULL, created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL, sla_status int DEFAULT 0);
CREATE UNIQUE INDEX index_applied_slas_on_account_sla_policy_conversation ON applied_slas (account_id, sla_policy_id, conversation_id);
CREATE INDEX index_applied_slas_on_conversation_id ON applied_slas (conversation_id);
CREATE TABLE sla_events (
  id bigserial PRIMARY KEY, applied_sla_id bigint NOT NULL, conversation_id bigint NOT NULL, account_id bigint NOT NULL, sla_policy_id bigint NOT NULL, inbox_id bigint NOT NULL, event_type int,
  meta jsonb DEFAULT '{}', created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL);
CREATE INDEX index_sla_events_on_applied_sla_id ON sla_events (applied_sla_id);
CREATE TABLE tags (id serial PRIMARY KEY, name varchar, taggings_count int DEFAULT 0);
CREATE TABLE taggings (
  id serial PRIMARY KEY, tag_id int, taggable_type varchar, taggable_id int, tagger_type varchar, tagger_id int, context varchar(128), created_at timestamp);
CREATE INDEX index_taggings_on_taggable_id ON taggings (taggable_id);
CREATE INDEX index_taggings_on_taggable_id_and_taggable_type_and_context ON taggings (taggable_id, taggable_type, context);
CREATE UNIQUE INDEX taggings_idx ON taggings (tag_id, taggable_id, taggable_type, context, tagger_id, tagger_type);
CREATE FUNCTION accounts_after_insert_row_tr() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('CREATE SEQUENCE IF NOT EXISTS conv_dpid_seq_%s', NEW.id); RETURN NULL; END $$;
CREATE TRIGGER accounts_after_insert_row_tr AFTER INSERT ON accounts FOR EACH ROW EXECUTE FUNCTION accounts_after_insert_row_tr();
CREATE FUNCTION conversations_before_insert_row_tr() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.display_id := nextval('conv_dpid_seq_' || NEW.account_id); RETURN NEW; END $$;
CREATE TRIGGER conversations_before_insert_row_tr BEFORE INSERT ON conversations FOR EACH ROW EXECUTE FUNCTION conversations_before_insert_row_tr();

INSERT INTO accounts (name) VALUES ('Acme');
INSERT INTO conversations (account_id, inbox_id, status, created_at, updated_at, contact_id, display_id, last_activity_at, cached_label_list)
SELECT 1, 1, 1, at, at, n % 20, 0, at, 'billing, vip'
FROM (SELECT n, (now() AT TIME ZONE 'UTC') - CASE WHEN n <= 150 THEN n + 99 ELSE 1 END * interval '1 day' AS at FROM generate_series(1, 200) AS n) AS t;
INSERT INTO messages (content, account_id, inbox_id, conversation_id, message_type, created_at, updated_at, content_attributes, sender_type, sender_id)
SELECT 'Where is my order ' || id, 1, 1, id, i, created_at, created_at, '{"a":  1}', 'Contact', contact_id FROM conversations, generate_series(0, 2) AS i;
INSERT INTO attachments (file_type, message_id, account_id, created_at, updated_at) SELECT 0, id, 1, created_at, created_at FROM messages WHERE message_type = 0;
INSERT INTO csat_survey_responses (account_id, conversation_id, message_id, rating, contact_id, created_at, updated_at)
SELECT 1, conversation_id, id, 5, 1, created_at, created_at FROM messages WHERE message_type = 2;
INSERT INTO conversation_participants (account_id, user_id, conversation_id, created_at, updated_at) SELECT 1, 7, id, created_at, created_at FROM conversations;
INSERT INTO mentions (user_id, conversation_id, account_id, mentioned_at, created_at, updated_at) SELECT 7, id, 1, created_at, created_at, created_at FROM conversations;
INSERT INTO applied_slas (account_id, sla_policy_id, conversation_id, created_at, updated_at) SELECT 1, 1, id, created_at, created_at FROM conversations;
INSERT INTO sla_events (applied_sla_id, conversation_id, account_id, sla_policy_id, inbox_id, created_at, updated_at) SELECT id, conversation_id, 1, 1, 1, created_at, created_at FROM applied_slas;
INSERT INTO tags (name) VALUES ('billing'), ('vip');
INSERT INTO taggings (tag_id, taggable_type, taggable_id, context, created_at) SELECT 1, 'Conversation', id, 'labels', created_at FROM conversations;
-- Of a contact that has the number of a conversation.
INSERT INTO taggings (tag_id, taggable_type, taggable_id, context, created_at) SELECT 2, 'Contact', id, 'labels', created_at FROM conversations WHERE id <= 20;
