-- Deletes at most $1 of the messages that expired longest ago, passing over what others hold, and
-- remembers until when. A minute of grace: clocks that are set back a little find their messages.
WITH oldest AS MATERIALIZED (
    SELECT digest FROM seawall_nonce
     WHERE expires < floor(extract(epoch FROM clock_timestamp()))::bigint - 60
     ORDER BY expires LIMIT $1::bigint
       FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM seawall_nonce n USING oldest o WHERE n.digest = o.digest RETURNING n.expires
), told AS (
    UPDATE seawall_nonce_forgotten f SET until = greatest(f.until, g.last)
      FROM (SELECT max(expires) AS last FROM gone) g WHERE g.last > f.until
)
SELECT count(*) FROM gone
