-- Accepted messages of seawall-postgres, version 1. To be run in one transaction, as often as you like.

-- One process at a time, as for the other tables.
SELECT pg_advisory_xact_lock(6072918);

-- One row for each message: a SHA-256 of what was signed, and the last second in which it may be fresh.
-- Logged, unlike counters: what a crash forgets can be replayed.
CREATE TABLE IF NOT EXISTS seawall_nonce (
    digest bytea PRIMARY KEY,
    expires bigint NOT NULL
);
-- With `IF NOT EXISTS`, this would lock the table against writers, also where the index is there.
DO $$ BEGIN
    IF to_regclass('seawall_nonce_expires') IS NULL THEN
        CREATE INDEX seawall_nonce_expires ON seawall_nonce (expires);
    END IF;
END $$;

-- The latest expiry among all rows ever deleted, in one row. What expires by then may be forgotten, so
-- a clock that is set back revives nothing.
CREATE TABLE IF NOT EXISTS seawall_nonce_forgotten (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    until bigint NOT NULL
);
INSERT INTO seawall_nonce_forgotten (until) VALUES (-1) ON CONFLICT DO NOTHING
