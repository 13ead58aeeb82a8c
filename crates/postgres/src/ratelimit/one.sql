-- One charge under GCRA. $1 key, $2 price of the charge, $3 time of a full refill, $4 the time or null.
-- A denial is a pure read, unless the state is further ahead than the quota can owe: it shrank, or the
-- clock jumped back. Then it is brought back, else who waits as long as told would be told so again.
-- What looks as if it fits is decided again where the row is locked; `made`
-- is null then if somebody was faster.
WITH clock AS MATERIALIZED (
    SELECT coalesce($4::bigint, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) AS now_us
), seen AS MATERIALIZED (
    SELECT coalesce((SELECT until FROM seawall_ratelimit WHERE key = $1::bytea), 0) AS tat
), made AS (
    INSERT INTO seawall_ratelimit AS t (key, until)
    SELECT $1::bytea, now_us + $2::bigint FROM clock, seen
     WHERE greatest(tat, now_us) + $2::bigint <= now_us + $3::bigint
    -- Here `excluded.until - $2` is the time.
    ON CONFLICT (key) DO UPDATE SET until = greatest(t.until, excluded.until - $2::bigint) + $2::bigint
     WHERE greatest(t.until, excluded.until - $2::bigint) + $2::bigint
           <= excluded.until - $2::bigint + $3::bigint
    RETURNING until
), clamped AS (
    UPDATE seawall_ratelimit AS t SET until = now_us + $3::bigint FROM clock, seen
     WHERE t.key = $1::bytea AND tat > now_us + $3::bigint AND t.until > now_us + $3::bigint
       AND $2::bigint <= $3::bigint
)
SELECT now_us, (SELECT until FROM made) AS made, tat,
       greatest(tat, now_us) + $2::bigint <= now_us + $3::bigint AS fitted
  FROM clock, seen
