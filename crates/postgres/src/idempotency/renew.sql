-- Sets a lease anew if the record is the token's and was not completed. $1 id, $2 fence, $3 nonce,
-- $4 lease, $5 the time or null for the server's own. Answers as complete.sql does.
-- It waits for nobody: a row that the owner's transaction has completed is locked until that ends, and
-- nobody takes it over so long; a renewal that waited would keep a connection from others.
WITH clock AS MATERIALIZED (
    SELECT coalesce($5::bigint, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) AS now_us
), own AS MATERIALIZED (
    SELECT r.id FROM clock, seawall_record r
     WHERE r.id = $1::bytea AND r.fence = $2::bigint AND r.nonce = $3::bigint AND r.payload IS NULL
       AND r.expires > now_us
       FOR NO KEY UPDATE OF r SKIP LOCKED
), done AS (
    UPDATE seawall_record r SET lease_until = least(now_us + $4::bigint, r.expires)
      FROM clock, own WHERE r.id = own.id
    RETURNING 1
)
SELECT CASE WHEN EXISTS (SELECT FROM done) THEN 0
            ELSE coalesce((SELECT CASE WHEN fence <> $2::bigint OR nonce <> $3::bigint THEN 2
                                       WHEN payload IS NULL THEN 4
                                       ELSE 1 END
                             FROM seawall_record, clock WHERE id = $1::bytea AND expires > now_us), 3) END
