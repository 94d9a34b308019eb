-- Schema of the clustered schedule (Archiver:Schedule:Clustered), in each source's own database.
--
-- Purpose  : a place for Quartz's tables, apart from the application's and from the ledger. Nothing in it is worth a backup.
-- Use      : the worker runs this itself unless AutoMigrate is false or its role may not create schemas. Then, as an administrator:
--              psql -d chat -f sql/quartz/schema.sql -c 'GRANT USAGE, CREATE ON SCHEMA archiver_quartz TO archiver'
--            The tables are Quartz's own: the worker makes what is missing at its next start, from the script inside that library.
-- Safe to re-run: yes.
-- To start afresh, with all workers stopped: DROP SCHEMA archiver_quartz CASCADE.

CREATE SCHEMA IF NOT EXISTS archiver_quartz;

COMMENT ON SCHEMA archiver_quartz IS 'Schedule of the archiver''s clustered workers; Quartz''s tables.';
