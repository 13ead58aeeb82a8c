-- Records of operations of seawall-postgres, version 1. To be run in one transaction, as often as you
-- like.

-- One process at a time, as for the other tables.
SELECT pg_advisory_xact_lock(6072918);

-- Fences: each is higher than all that were drawn before, of whatever record, and none comes again
-- when its record has gone.
CREATE SEQUENCE IF NOT EXISTS seawall_record_fence AS bigint;

-- One row for each operation. Moments are microseconds since the Unix epoch on the server's clock. The
-- payload is null until the operation has ended. Logged: what a crash forgets would be done twice. Room
-- is left on each page, and nothing that an index knows changes while an operation goes on, so that
-- renewing and completing stay on it.
CREATE TABLE IF NOT EXISTS seawall_record (
    id bytea PRIMARY KEY,
    fingerprint bytea NOT NULL,
    nonce bigint NOT NULL,
    fence bigint NOT NULL,
    attempt integer NOT NULL,
    lease_until bigint NOT NULL,
    expires bigint NOT NULL,
    payload bytea
) WITH (fillfactor = 70);
-- With `IF NOT EXISTS`, this would wait for every transaction that has completed a record, and writers
-- would wait for it, also where the index is there.
DO $$ BEGIN
    IF to_regclass('seawall_record_expires') IS NULL THEN
        CREATE INDEX seawall_record_expires ON seawall_record (expires);
    END IF;
END $$;

-- Takes a record that looked free, and answers its fence and the number of the attempt; null if it is
-- not free after all, or somebody is at its row: it is to be read again. Unlike in one statement, what
-- is read here was committed before it was read, and not before the wait for the lock.
CREATE OR REPLACE FUNCTION seawall_record_take(
    of_id bytea, of_fingerprint bytea, of_nonce bigint, lease_us bigint, retention_us bigint,
    take_over boolean, given_us bigint
) RETURNS bigint[] LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    now_us bigint;
    number integer;
    drawn bigint;
BEGIN
    -- Whoever takes a record has this lock from before its fence is drawn until it has committed. So
    -- fences increase in the order in which a record is taken, even where it is deleted in between.
    PERFORM pg_advisory_xact_lock(('x' || encode(substring(of_id FOR 8), 'hex'))::bit(64)::bigint);
    -- Not before the lock: the wait for it takes time.
    now_us := coalesce(given_us, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint);
    -- A row that a transaction of the user's has completed is locked until that ends, which may take
    -- long: whoever waited for it would keep a connection from others.
    SELECT CASE WHEN r.expires <= now_us THEN 1 ELSE least(r.attempt, 2147483646) + 1 END INTO number
      FROM seawall_record r
     WHERE r.id = of_id
       AND (r.expires <= now_us
            OR take_over AND r.payload IS NULL AND r.lease_until <= now_us
               AND r.nonce <> of_nonce AND r.fingerprint = of_fingerprint)
       FOR NO KEY UPDATE SKIP LOCKED;
    IF FOUND THEN
        UPDATE seawall_record r
           SET fingerprint = of_fingerprint, nonce = of_nonce, fence = nextval('seawall_record_fence'),
               attempt = number, lease_until = now_us + least(lease_us, retention_us),
               expires = now_us + retention_us, payload = NULL
         WHERE r.id = of_id
     RETURNING r.fence INTO drawn;
    ELSIF NOT EXISTS (SELECT FROM seawall_record r WHERE r.id = of_id) THEN
        number := 1;
        INSERT INTO seawall_record AS r
        VALUES (of_id, of_fingerprint, of_nonce, nextval('seawall_record_fence'), number,
                now_us + least(lease_us, retention_us), now_us + retention_us, NULL)
        ON CONFLICT (id) DO NOTHING
     RETURNING r.fence INTO drawn;
    END IF;
    RETURN CASE WHEN drawn IS NOT NULL THEN ARRAY[drawn, number] END;
END $$
