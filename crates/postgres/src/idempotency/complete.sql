-- Completes a record if it is the token's. $1 id, $2 fence, $3 nonce, $4 payload, $5 the time or null for
-- the server's own.
-- Answers 0 done, also if it was done before with the same payload, 1 completed otherwise, 2 taken over,
-- 3 gone, 4 it was changed meanwhile: to be tried again.
WITH clock AS MATERIALIZED (
    SELECT coalesce($5::bigint, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) AS now_us
), done AS (
    UPDATE seawall_record r SET payload = $4::bytea FROM clock
     WHERE r.id = $1::bytea AND r.fence = $2::bigint AND r.nonce = $3::bigint AND r.payload IS NULL
       AND r.expires > now_us
    RETURNING 1
)
SELECT CASE WHEN EXISTS (SELECT FROM done) THEN 0
            ELSE coalesce((SELECT CASE WHEN fence <> $2::bigint OR nonce <> $3::bigint THEN 2
                                       WHEN payload IS NULL THEN 4
                                       WHEN payload = $4::bytea THEN 0
                                       ELSE 1 END
                             FROM seawall_record, clock WHERE id = $1::bytea AND expires > now_us), 3) END
