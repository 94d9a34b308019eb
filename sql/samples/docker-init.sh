#!/bin/bash
# For docker-compose.yml: the sample chat database of preset ended-at, and the archiver's role with its password.
# PostgreSQL's image runs it once, when the volume is empty, with the repository's folder sql mounted as /sql.
set -euo pipefail
psql -X -q -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" -v password="$ARCHIVER_PASSWORD" -v idle="$SAMPLE_IDLE" -v young="$SAMPLE_YOUNG" <<'SQL'
SET client_min_messages = warning;
\i /sql/schemas/ended-at.sql
SET archiver.restore = on;
\i /sql/roles.sql
ALTER ROLE archiver PASSWORD :'password';
SET sample.idle = :'idle';
SET sample.young = :'young';
\i /sql/samples/conversations.sql
\i /sql/samples/ended-at.sql
SQL
