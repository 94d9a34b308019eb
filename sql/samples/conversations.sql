-- Sample conversations: what the generators of all presets draw from.
--
-- Purpose  : temporary views sample_session and sample_message, made of word lists by hashing: the same settings give
--            the same rows. Nothing here survives the connection.
-- Use      : in one connection, this file and then the one of the preset:
--              psql -c "SET sample.idle = '2000'" -f sql/samples/conversations.sql -f sql/samples/ended-at.sql
-- Safe to re-run: yes. The generators add only sessions that are not there yet.
--
-- Settings (SET or set_config, all optional):
--   sample.idle      2000    sessions whose last activity is 91 to 730 days old
--   sample.young     500     sessions whose last activity is at most 30 days old
--   sample.messages  20      messages of each session
--   sample.length    1       times each text is as long; 3 is as long as people's chats with assistants are in LMSYS-Chat-1M
--                            (arXiv 2309.11998, table 1: 69.5 tokens a prompt, 214.5 an answer; about four characters each)
--   sample.seed      1       another seed gives other sessions beside those of the first
--   sample.now       now()   the moment all ages count from; set it to get the same times again

-- For this connection only. Compiling these views costs more than running them, and one sort of all messages is enough.
SET jit = off;
SET enable_mergejoin = off;
SET work_mem = '256MB';

-- Evenly spread, and the same on every server: 0 <= result < bound.
CREATE OR REPLACE FUNCTION pg_temp.sample_draw(n bigint, salt bigint, bound integer)
RETURNS integer
LANGUAGE sql
IMMUTABLE PARALLEL SAFE
RETURN ((pg_catalog.hashint8extended(n, salt) & 2147483647) % bound)::integer;

CREATE OR REPLACE FUNCTION pg_temp.sample_word(words text[], n bigint, salt bigint)
RETURNS text
LANGUAGE sql
IMMUTABLE PARALLEL SAFE
RETURN words[1 + pg_temp.sample_draw(n, salt, cardinality(words))];

-- Sentences are built once, from single words, and messages are put together from them. Words repeat within a session
-- as they do in real chats, whole sentences hardly ever: that is what keeps the gzip ratio honest (about 3).
CREATE TEMP TABLE IF NOT EXISTS sample_sentence (
  kind   text    NOT NULL,
  number integer NOT NULL,
  body   text    NOT NULL,
  PRIMARY KEY (kind, number)
);

WITH lists AS (
  SELECT
    ARRAY['invoice', 'contract', 'password', 'report', 'calendar', 'parcel', 'refund', 'subscription', 'database',
      'backup', 'certificate', 'flight', 'recipe', 'garden', 'engine', 'router', 'keyboard', 'translation', 'paragraph',
      'lecture', 'bicycle', 'kitchen', 'warranty', 'address', 'shipment', 'query', 'index', 'meeting', 'budget',
      'spreadsheet', 'photo', 'novel', 'poem', 'battery', 'firmware', 'ticket', 'hotel', 'visa', 'passport', 'insurance',
      'mortgage', 'salary', 'timetable', 'exam', 'chapter', 'diagram', 'algorithm', 'compiler', 'container', 'cluster',
      'sensor', 'heating', 'balcony', 'violin', 'melody', 'painting', 'museum', 'vaccine', 'prescription', 'allergy',
      'workout', 'marathon', 'playlist', 'podcast',
      'chimney', 'saddle', 'lantern', 'harbour', 'syllabus', 'thermostat', 'envelope', 'orchard', 'quota', 'webhook',
      'migration', 'ledger', 'pension', 'glossary', 'trumpet', 'oven', 'curtain', 'bracket', 'voucher', 'deposit',
      'landlord', 'neighbour', 'plumber', 'dentist', 'librarian', 'colleague', 'supplier', 'courier', 'cousin', 'tutor',
      'abstract', 'footnote', 'equation', 'hypothesis', 'microscope', 'telescope', 'fertilizer', 'greenhouse', 'hedge',
      'tram', 'ferry', 'luggage', 'currency', 'receipt', 'payroll', 'pipeline', 'gateway', 'firewall', 'token',
      'callback', 'thread', 'buffer', 'partition', 'replica', 'snapshot', 'checksum', 'dashboard', 'survey', 'banner',
      'logo', 'slogan', 'brochure', 'workshop', 'keynote'] AS nouns,
    ARRAY['monthly', 'broken', 'second', 'missing', 'signed', 'old', 'blue', 'annual', 'encrypted', 'shared', 'slow',
      'duplicate', 'temporary', 'printed', 'foreign', 'quiet', 'heavy', 'local', 'public', 'expired', 'draft', 'urgent',
      'simple', 'expensive', 'wooden', 'digital', 'empty', 'partial', 'weekly', 'unusual', 'corrected', 'final'] AS adjectives,
    ARRAY['explain', 'compare', 'cancel', 'repair', 'summarize', 'translate', 'schedule', 'replace', 'export', 'check',
      'rewrite', 'update', 'find', 'measure', 'shorten', 'improve', 'describe', 'verify', 'split', 'merge', 'print',
      'forward', 'rename', 'review', 'estimate', 'clean', 'move', 'restore', 'share', 'order', 'return', 'test'] AS verbs,
    ARRAY['since Tuesday', 'before the weekend', 'on my phone', 'in the second branch', 'for our team in Oslo', 'without an account',
      'after the last update', 'for less than 40 euros', 'next to the station', 'during the night', 'with two children',
      'in plain words', 'by the end of March', 'from the other laptop', 'as a table', 'at the front desk', 'under load',
      'in the cheaper plan', 'while travelling', 'on a small screen', 'across three time zones', 'in one afternoon',
      'with the old driver', 'for a beginner', 'at half past seven', 'behind the proxy', 'over a slow line',
      'for the tax office', 'in the attached file', 'from the archive', 'on the ground floor', 'per person'] AS circumstances,
    -- %1 verb, %2 %9 adjectives, %3 %4 %8 nouns, %5 circumstance, %6 number, %7 reference
    -- 1 verb, 2 and 9 adjectives, 3, 4 and 8 nouns, 5 circumstance, 6 number, 7 reference
    ARRAY['Could you %1$s the %2$s %3$s and the %9$s %4$s %5$s?', 'Why does the %3$s %8$s differ from the %2$s %4$s %5$s?',
      'How do I %1$s a %9$s %3$s when the %8$s %4$s is %2$s?', 'I tried to %1$s the %8$s %3$s %6$s times; the %4$s is %9$s and %2$s.',
      'Is there a way to %1$s my %2$s %3$s, keep the %4$s and lose the %8$s?', 'What happens to the %8$s %4$s if I %1$s the %3$s %5$s?',
      'Please %1$s %6$s again, the %3$s %8$s looks %2$s %5$s.', 'My %9$s %3$s says %7$s but the %8$s %4$s says %6$s.'] AS questions,
    ARRAY['First %1$s the %2$s %3$s, then look at the %9$s %4$s %5$s.', 'The %3$s %8$s (reference %7$s) was %9$s %5$s.',
      'A %2$s %3$s means that the %9$s %4$s waits for the %8$s.', 'That costs %6$s including %3$s, %4$s and a %9$s %8$s.',
      'You can %1$s it %5$s; the %9$s %3$s stays %2$s.', 'I would not %1$s the %4$s %8$s yet: the %3$s is %2$s %5$s.',
      'A %2$s %4$s works better %5$s than any %9$s %3$s.', 'If the %3$s fails with %7$s, %1$s the %8$s %4$s %5$s.',
      'There are %6$s %9$s ones, so %1$s the %2$s %3$s first.', 'Short answer: yes, but %1$s the %3$s %8$s %5$s.'] AS answers
), wanted AS (
  SELECT 'question' AS kind, n
  FROM generate_series(0, 4095) AS n
  UNION ALL
  SELECT 'answer', n
  FROM generate_series(4096, 12287) AS n
)
INSERT INTO sample_sentence (kind, number, body)
SELECT w.kind,
       w.n % 4096 + CASE WHEN w.n < 8192 THEN 0 ELSE 4096 END,
       string_agg(
         format(
           pg_temp.sample_word(CASE w.kind WHEN 'question' THEN l.questions ELSE l.answers END, part, 1),
           pg_temp.sample_word(l.verbs, part, 2),
           pg_temp.sample_word(l.adjectives, part, 3),
           pg_temp.sample_word(l.nouns, part, 4),
           pg_temp.sample_word(l.nouns, part, 5),
           pg_temp.sample_word(l.circumstances, part, 6),
           pg_temp.sample_draw(part, 7, 900) + 12,
           upper(substr(md5(part::text), 1, 3 + pg_temp.sample_draw(part, 8, 6))),
           pg_temp.sample_word(l.nouns, part, 10),
           pg_temp.sample_word(l.adjectives, part, 11)),
         ' ' ORDER BY part)
FROM wanted AS w
CROSS JOIN lists AS l
CROSS JOIN LATERAL generate_series(w.n * 4, w.n * 4 + pg_temp.sample_draw(w.n, 9, CASE w.kind WHEN 'question' THEN 2 ELSE 3 END)) AS part
WHERE NOT EXISTS (SELECT FROM sample_sentence)  -- once a connection
GROUP BY w.kind, w.n;

ANALYZE sample_sentence;

CREATE OR REPLACE TEMP VIEW sample_session AS
WITH settings AS (
  -- NULLIF: a setting that was set once and reset reads as an empty string.
  SELECT coalesce(NULLIF(current_setting('sample.idle', true), '')::bigint, 2000) AS idle,
         coalesce(NULLIF(current_setting('sample.young', true), '')::bigint, 500) AS young,
         coalesce(NULLIF(current_setting('sample.messages', true), '')::integer, 20) AS messages,
         coalesce(NULLIF(current_setting('sample.length', true), '')::integer, 1) AS length,
         coalesce(NULLIF(current_setting('sample.seed', true), '')::bigint, 1) AS seed,
         coalesce(NULLIF(current_setting('sample.now', true), '')::timestamptz, now()) AS moment
), numbered AS (
  SELECT s.*,
         n,
         s.seed * 1000000000 + n AS key,
         n <= s.idle AS is_idle
  FROM settings AS s
  CROSS JOIN LATERAL generate_series(1, s.idle + s.young) AS n
), dated AS (
  SELECT d.*,
         d.moment - CASE
           -- From 91 days: a policy with the usual 90 days takes every one of them.
           WHEN d.is_idle THEN interval '91 days' + pg_temp.sample_draw(d.key, 20, 638 * 86400) * interval '1 second'
           ELSE interval '2 minutes' + pg_temp.sample_draw(d.key, 20, 30 * 86400 - 240) * interval '1 second'
         END - pg_temp.sample_draw(d.key, 21, 1000000) * interval '1 microsecond' AS last_activity,
         (d.messages + 1) * (20 + pg_temp.sample_draw(d.key, 22, 400)) * interval '1 second' AS duration
  FROM numbered AS d
)
SELECT key,
       md5('archiver sample ' || key)::uuid AS id,
       is_idle,
       messages,
       length,
       duration,
       CASE
         WHEN pg_temp.sample_draw(key, 23, 8) > 0 THEN 'user-' || pg_temp.sample_draw(key, 24, 1 + (idle + young)::integer / 6)
       END AS user_id,
       CASE pg_temp.sample_draw(key, 25, 16)
         WHEN 0 THEN NULL
         WHEN 1 THEN 'Fragen zur Größe der Übersicht'
         WHEN 2 THEN '旅行の予定 ✈️'
         ELSE left(q.body, 60)
       END AS title,
       last_activity - duration AS created_at,
       last_activity,
       CASE
         WHEN pg_temp.sample_draw(key, 26, 3) = 0 THEN last_activity
       END AS ended_at,
       CASE
         WHEN pg_temp.sample_draw(key, 27, 4) > 0 THEN last_activity + interval '30 days'
       END AS expires_at,
       CASE
         WHEN pg_temp.sample_draw(key, 28, 20) = 0 THEN least(last_activity + interval '3 days', moment)
       END AS deleted_at,
       CASE
         WHEN is_idle AND pg_temp.sample_draw(key, 29, 3) = 0 THEN 'expired'
         ELSE 'active'
       END AS status,
       -- SQL NULL, JSON null and an empty object are three different things, and an archive has to keep them apart.
       CASE pg_temp.sample_draw(key, 30, 8)
         WHEN 0 THEN NULL
         WHEN 1 THEN jsonb 'null'
         WHEN 2 THEN jsonb '{}'
         ELSE jsonb_build_object(
           'model', pg_temp.sample_word(ARRAY['small-2', 'large-4', 'large-4-turbo'], key, 31),
           'temperature', pg_temp.sample_draw(key, 32, 100) / 100.0,
           'tags', jsonb_build_array('web', 'größe', NULL),
           'client', jsonb_build_object('os', 'Linux', 'path', 'C:\temp\' || key, 'beta', pg_temp.sample_draw(key, 33, 2) = 1))
       END AS metadata
FROM dated
JOIN sample_sentence AS q ON q.kind = 'question' AND q.number = pg_temp.sample_draw(key, 34, 4096);

CREATE OR REPLACE TEMP VIEW sample_message AS
WITH drawn AS (
  SELECT s.key,
         s.id AS session_id,
         s.key * 100000 + j AS message_key,
         j AS sequence,
         CASE
           WHEN j = 1 AND pg_temp.sample_draw(s.key, 40, 6) = 0 THEN 'system'
           WHEN j % 2 = 1 THEN 'user'
           WHEN pg_temp.sample_draw(s.key * 100000 + j, 41, 25) = 0 THEN 'tool'
           ELSE 'assistant'
         END AS role,
         -- Now and then two messages share one time, as those of one transaction with now() do. The last is at the
         -- latest at the session's last activity.
         s.last_activity - s.duration
           + s.duration * ((j - CASE WHEN pg_temp.sample_draw(s.key * 100000 + j, 42, 16) = 0 AND j > 1 THEN 1 ELSE 0 END)::double precision / s.messages)
           AS created_at,
         s.length - 1 AS more,
         s.deleted_at
  FROM sample_session AS s
  CROSS JOIN LATERAL generate_series(1, s.messages) AS j
), worded AS (
  SELECT d.*,
         CASE d.role
           WHEN 'user' THEN q.body
           WHEN 'system' THEN 'You are a helpful assistant. Answer in the language of the user.'
           WHEN 'tool' THEN '{"status": "ok", "rows": ' || pg_temp.sample_draw(d.message_key, 43, 1000) || ', "text": "' || a.body || '"}'
           ELSE a.body || CASE pg_temp.sample_draw(d.message_key, 44, 4) WHEN 0 THEN E'\n\n' ELSE ' ' END || b.body
         END || coalesce(longer.body, '') || CASE pg_temp.sample_draw(d.message_key, 45, 32)
           WHEN 0 THEN ' 😀👍🏽'
           WHEN 1 THEN ' Viele Grüße aus Köln, Jürgen Weiß'
           WHEN 2 THEN ' これは日本語の文章です。请再解释一遍。'
           WHEN 3 THEN ' He said "that''s fine", and left.'
           WHEN 4 THEN E' The file is C:\\temp\\new\\notes.txt, tab\there.'
           WHEN 5 THEN E'\n- one\n- two\r\n- three'
           WHEN 6 THEN E'\n```sql\nSELECT ''it''''s'' AS "a";\n```\n'
           ELSE ''
         END AS content
  FROM drawn AS d
  JOIN sample_sentence AS q ON q.kind = 'question' AND q.number = pg_temp.sample_draw(d.message_key, 46, 4096)
  JOIN sample_sentence AS a ON a.kind = 'answer' AND a.number = pg_temp.sample_draw(d.message_key, 47, 8192)
  JOIN sample_sentence AS b ON b.kind = 'answer' AND b.number = pg_temp.sample_draw(d.message_key, 48, 8192)
  CROSS JOIN LATERAL (
    -- A subquery for each, so that each is one index lookup.
    SELECT string_agg(
      ' ' || (
        SELECT e.body
        FROM sample_sentence AS e
        WHERE e.kind = CASE d.role WHEN 'user' THEN 'question' ELSE 'answer' END
          AND e.number = pg_temp.sample_draw(d.message_key, 100 + part, CASE d.role WHEN 'user' THEN 4096 ELSE 8192 END)),
      '' ORDER BY part) AS body
    FROM generate_series(1, CASE d.role WHEN 'user' THEN d.more WHEN 'assistant' THEN 2 * d.more ELSE 0 END) AS part
  ) AS longer
)
SELECT key,
       session_id,
       message_key,
       sequence,
       role,
       created_at,
       content,
       -- About four characters a token; a few were never counted.
       CASE
         WHEN pg_temp.sample_draw(message_key, 49, 40) > 0 THEN (length(content) + 3) / 4
       END AS token_count,
       CASE pg_temp.sample_draw(message_key, 50, 8)
         WHEN 0 THEN jsonb 'null'
         WHEN 1 THEN jsonb_build_object('finish', 'stop', 'ms', pg_temp.sample_draw(message_key, 51, 9000))
       END AS metadata,
       CASE
         -- A deleted session takes its messages along; here and there a single message was deleted.
         WHEN deleted_at IS NOT NULL THEN deleted_at
         WHEN pg_temp.sample_draw(message_key, 52, 100) = 0 THEN created_at
       END AS deleted_at
FROM worded;
