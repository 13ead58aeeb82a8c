-- Reads a record, and takes it only where it looks free: every other answer is a plain read. $1 id,
-- $2 fingerprint, $3 nonce, $4 lease, $5 retention, $6 whether a lapsed lease is taken over, $7 the time
-- or null for the server's own.
-- Answers 0 the caller's already, 1 completed, 2 another fingerprint, 3 in progress, 4 lapsed, 5 free.
SELECT verdict, fence, attempt, lease_left, CASE WHEN verdict = 1 THEN payload END,
       CASE WHEN verdict = 5
            THEN seawall_record_take($1::bytea, $2::bytea, $3::bigint, $4::bigint, $5::bigint,
                                     $6::boolean, $7::bigint) END
  FROM (SELECT fence, attempt, lease_until - now_us AS lease_left, payload,
               CASE WHEN id IS NULL OR expires <= now_us THEN 5
                    WHEN payload IS NOT NULL THEN CASE WHEN fingerprint = $2::bytea THEN 1 ELSE 2 END
                    WHEN nonce = $3::bigint THEN 0
                    WHEN fingerprint <> $2::bytea THEN 2
                    WHEN lease_until > now_us THEN 3
                    WHEN $6::boolean THEN 5
                    ELSE 4 END AS verdict
          FROM (SELECT coalesce($7::bigint, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
                       AS now_us) clock
          LEFT JOIN seawall_record ON id = $1::bytea) seen
