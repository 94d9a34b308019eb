namespace Archiver.Testing.Proof;

/// <summary>
/// SQL of the shadow: triggers on the application's tables record every committed row version, what became of it and by whom, in a schema
/// that the archiver knows nothing of. A version that is rolled back takes its record with it.
/// </summary>
internal static class ShadowSchema
{
    // A sequence orders the versions of one row as they were committed: its row lock, or its key's index, lets one writer at a time.
    public const string Create = """
        CREATE SCHEMA shadow;
        CREATE TABLE shadow.versions (
          n       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
          tab     text NOT NULL,
          key     text NOT NULL,
          op      "char" NOT NULL,
          content text NOT NULL,          -- the row as text: after an insert or update, before a delete
          who     text NOT NULL,          -- application_name
          xid     xid8 NOT NULL
        );
        CREATE INDEX ON shadow.versions (tab, key, n);
        CREATE INDEX ON shadow.versions (xid);
        CREATE TABLE shadow.records (archive bigint NOT NULL, session text NOT NULL, run uuid NOT NULL, state text NOT NULL,
          xid xid8 NOT NULL);
        CREATE INDEX ON shadow.records (xid);
        CREATE TABLE shadow.audits (run uuid, action text NOT NULL, counts jsonb, xid xid8 NOT NULL);
        -- What a run's export must have seen: it is younger than the run's own row.
        CREATE TABLE shadow.begun (run uuid NOT NULL, snapshot pg_snapshot NOT NULL);
        -- Transactions that a run counts as its own.
        CREATE TABLE shadow.counted (run uuid NOT NULL, xid xid8 NOT NULL);
        CREATE INDEX ON shadow.counted (run);
        CREATE TABLE shadow.documents (archive bigint NOT NULL, tab text NOT NULL, key text NOT NULL, content text NOT NULL);
        CREATE INDEX ON shadow.documents (tab, key);
        CREATE INDEX ON shadow.documents (archive);
        -- Which object an archive was read from: an erasure writes a bundle's other sessions again.
        CREATE TABLE shadow.read (archive bigint PRIMARY KEY, object bigint NOT NULL, key text NOT NULL);

        -- What the archiver deleted or destroyed while a hold covered it, as far as the row alone says: whose it is, and when it lived.
        CREATE TABLE shadow.held (what text NOT NULL, key text NOT NULL, hold bigint NOT NULL, xid xid8 NOT NULL);
        CREATE FUNCTION shadow.note_held(what text, key text, session text, owner text, first timestamptz,
          last timestamptz) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog
        AS $$
        BEGIN
          INSERT INTO shadow.held
          SELECT what, key, h.id, pg_current_xact_id() FROM archiver.holds AS h
          WHERE h.removed_at IS NULL AND (h.session_id = session OR h.user_id = owner
            OR (coalesce(h.from_time, h.to_time) IS NOT NULL AND first < coalesce(h.to_time, 'infinity')
              AND greatest(first, last) >= coalesce(h.from_time, '-infinity')));
        END $$;

        -- Session rows that the archiver marked as stored: what they were before is what the object must hold.
        CREATE VIEW shadow.marks AS
        SELECT r.archive, v.tab, v.key, v.n, v.content AS marked, e.content AS before
        FROM shadow.versions AS v
        JOIN shadow.records AS r ON r.xid = v.xid AND r.session = v.key AND r.state = 'stored'
        CROSS JOIN LATERAL (
          SELECT e.content FROM shadow.versions AS e WHERE e.tab = v.tab AND e.key = v.key AND e.n < v.n ORDER BY e.n DESC LIMIT 1) AS e
        WHERE v.tab = 'session' AND v.op = 'U' AND starts_with(v.who, 'archiver');

        -- One dialect whatever the writer's: equal text means equal rows.
        CREATE FUNCTION shadow.record() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = pg_catalog SET TimeZone = 'UTC' SET DateStyle = 'ISO, YMD' SET IntervalStyle = 'postgres'
        SET extra_float_digits = 1 SET bytea_output = 'hex'
        AS $$
        DECLARE
          version record := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
        BEGIN
          INSERT INTO shadow.versions (tab, key, op, content, who, xid)
          VALUES (TG_ARGV[0], to_jsonb(version) ->> TG_ARGV[1], left(TG_OP, 1), version::text, current_setting('application_name'),
            pg_current_xact_id());
          IF TG_OP = 'DELETE' AND starts_with(current_setting('application_name'), 'archiver') THEN
            PERFORM shadow.note_held(TG_ARGV[0], j ->> TG_ARGV[1], j ->> TG_ARGV[2], j ->> 'user_id', (j ->> TG_ARGV[3])::timestamptz,
              (j ->> TG_ARGV[4])::timestamptz)
            FROM (SELECT to_jsonb(version) AS j) AS x;
          END IF;
          RETURN NULL;
        END $$;

        CREATE FUNCTION shadow.record_archive() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
        AS $$
        BEGIN
          INSERT INTO shadow.records VALUES (NEW.id, NEW.session_id, NEW.run_id, NEW.state, pg_current_xact_id());
          IF TG_OP = 'UPDATE' AND NEW.state IN ('discarded', 'erased') AND OLD.state <> NEW.state THEN
            PERFORM shadow.note_held('archive', NEW.id::text, NEW.session_id, OLD.user_id, OLD.session_created_at,
              OLD.session_last_activity);
          END IF;
          RETURN NULL;
        END $$;

        CREATE FUNCTION shadow.record_audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
        AS $$
        BEGIN
          INSERT INTO shadow.audits VALUES (NEW.run_id, NEW.action, NEW.counts, pg_current_xact_id());
          RETURN NULL;
        END $$;
        CREATE TRIGGER shadow AFTER INSERT ON archiver.audit FOR EACH ROW EXECUTE FUNCTION shadow.record_audit();

        CREATE FUNCTION shadow.record_run() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
        AS $$
        BEGIN
          IF TG_OP = 'INSERT' THEN
            INSERT INTO shadow.begun VALUES (NEW.id, pg_current_snapshot());
          ELSE
            INSERT INTO shadow.counted VALUES (NEW.id, pg_current_xact_id());
          END IF;
          RETURN NULL;
        END $$;
        CREATE TRIGGER shadow AFTER INSERT OR UPDATE OF sessions_done ON archiver.runs FOR EACH ROW EXECUTE FUNCTION shadow.record_run();

        CREATE TRIGGER shadow AFTER INSERT OR UPDATE OF state ON archiver.archives FOR EACH ROW EXECUTE FUNCTION shadow.record_archive();

        CREATE FUNCTION shadow.record_removal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
        AS $$
        BEGIN
          PERFORM shadow.note_held('object', NEW.key, a.session_id, a.user_id, a.session_created_at, a.session_last_activity)
            FROM archiver.archives AS a WHERE a.object_id = NEW.id;
          RETURN NULL;
        END $$;
        CREATE TRIGGER shadow AFTER UPDATE OF reason
          ON archiver.objects FOR EACH ROW WHEN (NEW.reason = 'removed by reconcile' AND NEW.reason IS DISTINCT FROM OLD.reason)
        EXECUTE FUNCTION shadow.record_removal();
        """;

    /// <summary>Watches a table whose rows of before count as versions of their own.</summary>
    public static string Watch(ShadowTable table) =>
        $"""
            SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 1;
              SET bytea_output = 'hex';
            INSERT INTO shadow.versions (tab, key, op, content, who, xid)
            SELECT '{table.Name}', t.{table.Key}::text, 'I', t::text, 'before', pg_current_xact_id() FROM {table.Table} AS t;
            CREATE TRIGGER zz_shadow AFTER INSERT OR UPDATE OR DELETE ON {table.Table}
            FOR EACH ROW EXECUTE FUNCTION shadow.record('{table.Name}', '{table.Key}', '{table.Session}', '{table.First}', '{table.Last}');
            """;

    /// <summary>
    /// The columns of a table ($1) as expressions over a document's row <c>d</c>, which is json and not jsonb: a json column keeps its
    /// text. Absent is NULL, the rest its own text.
    /// </summary>
    public const string Columns = """
        SELECT string_agg(
                 CASE WHEN a.atttypid IN ('jsonb'::regtype, 'json'::regtype)
                   THEN format('(d -> %L)::%s', a.attname, format_type(a.atttypid, a.atttypmod))
                   ELSE format('(d ->> %L)::%s', a.attname, format_type(a.atttypid, a.atttypmod)) END, ', ' ORDER BY a.attnum)
        FROM pg_attribute AS a
        WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped
        """;
}
