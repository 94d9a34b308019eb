// Reads a folder of bundles with DuckDB, as somebody would who has never heard of the archiver, and joins them with an export of the ledger.
//   node duckdb.mjs FOLDER LEDGER.csv       writes one JSON line for each user
import { DuckDBInstance } from '@duckdb/node-api';

const [folder, ledger] = process.argv.slice(2);
const quoted = text => `'${text.replaceAll("'", "''")}'`;
const connection = await (await DuckDBInstance.create(':memory:')).connect();
const reader = await connection.runAndReadAll(`
  WITH documents AS (
    SELECT session->>'session_id' AS session_id, generation, messages
    FROM read_json(${quoted(`${folder}/*.jsonl.gz`)}, format = 'newline_delimited',
                   columns = {session: 'JSON', generation: 'INTEGER', messages: 'JSON[]'})
  ), archives AS (
    SELECT * FROM read_csv(${quoted(ledger)}, header = true, columns = {session_id: 'VARCHAR', generation: 'INTEGER', user_id: 'VARCHAR', message_count: 'BIGINT'})
  )
  SELECT coalesce(a.user_id, '-') AS "user",
         count(*)::INTEGER AS sessions,
         sum(a.message_count)::INTEGER AS counted,
         sum(len(d.messages))::INTEGER AS messages,
         sum(coalesce(list_sum(list_transform(d.messages, m -> CAST(m->>'token_count' AS BIGINT))), 0))::INTEGER AS tokens,
         sum(list_sum(list_transform(d.messages, m -> length(m->>'content'))))::INTEGER AS characters
  FROM documents AS d
  JOIN archives AS a USING (session_id, generation)
  GROUP BY 1
  ORDER BY 1`);
for (const row of reader.getRowObjectsJson())
  console.log(JSON.stringify(row));
