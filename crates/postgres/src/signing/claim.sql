-- Remembers one message, if it is new. $1 digest, $2 the last second in which it may be fresh, $3 the
-- verifier's time, $4 how far the server's may be from it.
-- Answers 0 fresh, 1 known, 2 expired by the server's clock, 3 clocks too far apart. Whoever comes
-- while another inserts the same digest waits until that one has committed, and then finds it known.
WITH clock AS MATERIALIZED (
    SELECT floor(extract(epoch FROM clock_timestamp()))::bigint AS now
), judged AS MATERIALIZED (
    SELECT CASE
               WHEN abs(now - $3::bigint) > $4::bigint THEN 3
               WHEN $2::bigint < now THEN 2
               WHEN $2::bigint <= (SELECT until FROM seawall_nonce_forgotten) THEN 2
               ELSE 0
           END AS verdict
      FROM clock
), made AS (
    INSERT INTO seawall_nonce (digest, expires)
    SELECT $1::bytea, $2::bigint FROM judged WHERE verdict = 0
    ON CONFLICT (digest) DO NOTHING
    RETURNING 1
)
SELECT CASE WHEN verdict <> 0 THEN verdict WHEN EXISTS (SELECT FROM made) THEN 0 ELSE 1 END
  FROM judged
