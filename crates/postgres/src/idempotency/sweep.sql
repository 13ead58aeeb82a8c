-- Deletes at most $1 of the records that expired longest ago, passing over what others hold. $2 the time
-- or null for the server's own.
WITH oldest AS MATERIALIZED (
    SELECT id FROM seawall_record
     WHERE expires <= coalesce($2::bigint,
                               (extract(epoch FROM statement_timestamp()) * 1000000)::bigint)
     ORDER BY expires LIMIT $1::bigint
       FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM seawall_record r USING oldest o WHERE r.id = o.id RETURNING 1
)
SELECT count(*) FROM gone
