-- Which archives somebody read, in the audit: ids of archiver.archives as ranges, so that a reading of a million neighbours is one range.
-- Applied once by the migrator in one transaction; never edited after a release: a change is a new numbered script.

ALTER TABLE archiver.audit ADD COLUMN archives int8multirange;
COMMENT ON COLUMN archiver.audit.archives IS 'What a query, a search or a showing read: WHERE archives @> 4711::bigint finds everybody who read archive 4711.';
