-- Rate limits of seawall-postgres, version 1. To be run in one transaction, as often as you like.

-- One process at a time: two that replace one function at once would fail each other.
SELECT pg_advisory_xact_lock(6072918);

-- A counter or a block. `until` is the moment from which the row means nothing: for GCRA that is the
-- theoretical arrival time, which is all there is to know; windows have their counts beside it. All
-- times are microseconds since the Unix epoch. Unlogged: counts are not worth a write to the log, and
-- are forgotten after a crash. Room is left on each page, so that an update stays on it.
CREATE UNLOGGED TABLE IF NOT EXISTS seawall_ratelimit (
    key bytea PRIMARY KEY,
    until bigint NOT NULL,
    start bigint,
    current bigint,
    earlier bigint
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);

-- The window that the clock is in, and what counts in it and in the one before.
CREATE OR REPLACE FUNCTION seawall_ratelimit_roll(
    kind int, period bigint, capacity bigint, now_us bigint, INOUT s bigint, INOUT c bigint, INOUT e bigint
) LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    begins bigint := now_us - now_us % period;
BEGIN
    c := least(c, capacity);
    e := CASE WHEN kind = 1 THEN least(e, capacity) ELSE 0 END;
    IF s >= begins THEN
        s := least(s, begins + period);
    ELSIF kind = 1 AND begins - s = period THEN
        s := begins; e := c; c := 0;
    ELSE
        s := begins; c := 0; e := 0;
    END IF;
END $$;

-- Decides charges together, in the arithmetic of seawall_ratelimit::machine. The arrays are parallel.
--   op: c consume, u consume up to, p peek, f refund, r reset, b block
--   kinds: 0 GCRA, 1 sliding window, 2 fixed window
--   spans: the interval of one unit for GCRA, the period for windows
--   looks: whether blocks are looked up
--   extras: the penalty; for a refund, when the grant was paid, or null
--   given_us: the time, or null for the server's own
-- standings: 0 allowed, 1 over limit, 2 blocked
CREATE OR REPLACE FUNCTION seawall_ratelimit_decide(
    op text, counters bytea[], blocks bytea[], kinds int[], shadows boolean[], looks boolean[],
    spans bigint[], capacities bigint[], costs bigint[], extras bigint[], given_us bigint,
    OUT now_us bigint, OUT standings int[], OUT vs bigint[], OUT cs bigint[], OUT es bigint[],
    OUT blocked bigint[]
) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    n int := cardinality(counters);
    locking boolean := op NOT IN ('c', 'p');
    -- What was read, and what counts after the charges up to the present one, by first occurrence.
    v0 bigint[]; c0 bigint[]; e0 bigint[];
    vw bigint[]; cw bigint[]; ew bigint[];
    -- What a denial leaves behind where a state is further ahead than the quota can owe: it shrank, or
    -- the clock jumped back. Else who waits as long as told would be told so again.
    clamped bigint[];
    j int; s bigint; c bigint; e bigint; fades bigint; counts bigint; full_us bigint;
    fits boolean; denied boolean;
BEGIN
    LOOP
        -- Counters are locked in the order of their keys, and before any block, so nobody waits for
        -- each other in a circle. What is missing is inserted, what is there is locked and left alone.
        -- To lock only what is there would not do: a row that comes about in between would be met
        -- later, out of order.
        IF locking AND op <> 'b' THEN
            INSERT INTO seawall_ratelimit AS t (key, until)
            SELECT k, 0 FROM unnest(counters) k GROUP BY k ORDER BY k
            ON CONFLICT (key) DO UPDATE SET until = t.until WHERE false;
        END IF;
        IF op = 'r' THEN
            INSERT INTO seawall_ratelimit AS t (key, until)
            SELECT k, 0 FROM unnest(blocks) k GROUP BY k ORDER BY k
            ON CONFLICT (key) DO UPDATE SET until = t.until WHERE false;
        END IF;

        -- Not before the locks: the wait for them takes time.
        now_us := coalesce(given_us, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint);
        IF op = 'r' THEN
            UPDATE seawall_ratelimit t SET until = 0, start = NULL, current = NULL, earlier = NULL
             WHERE t.key = ANY (counters || blocks) AND t.until <> 0;
        ELSIF op = 'b' THEN
            INSERT INTO seawall_ratelimit AS t (key, until)
            SELECT k, now_us + max(x) FROM unnest(blocks, extras) b (k, x) GROUP BY k ORDER BY k
            ON CONFLICT (key) DO UPDATE SET until = greatest(t.until, excluded.until);
        END IF;

        SELECT array_agg(coalesce(CASE WHEN u.kind = 0 THEN t.until ELSE t.start END, 0) ORDER BY u.o),
               array_agg(coalesce(t.current, 0) ORDER BY u.o),
               array_agg(coalesce(t.earlier, 0) ORDER BY u.o)
          INTO v0, c0, e0
          FROM unnest(counters, kinds) WITH ORDINALITY u (k, kind, o)
          LEFT JOIN seawall_ratelimit t ON t.key = u.k;
        IF true = ANY (looks) THEN
            SELECT array_agg(coalesce(t.until, 0) ORDER BY u.o) INTO blocked
              FROM unnest(blocks) WITH ORDINALITY u (k, o) LEFT JOIN seawall_ratelimit t ON t.key = u.k;
        ELSE
            blocked := array_fill(0::bigint, ARRAY[n]);
        END IF;
        vw := v0; cw := c0; ew := e0;
        clamped := array_fill(NULL::bigint, ARRAY[n]);
        standings := array_fill(0, ARRAY[n]);
        vs := v0; cs := c0; es := e0;
        denied := false;

        FOR i IN 1 .. n LOOP
            j := array_position(counters, counters[i]);
            IF op IN ('c', 'p') THEN
                vs[i] := vw[j]; cs[i] := cw[j]; es[i] := ew[j];
                IF looks[i] AND blocked[i] > now_us THEN
                    standings[i] := 2;
                ELSIF kinds[i] = 0 THEN
                    full_us := now_us + spans[i] * capacities[i];
                    fits := costs[i] <= capacities[i];
                    IF fits THEN
                        s := least(greatest(vw[j], now_us), full_us) + costs[i] * spans[i];
                        fits := s <= full_us;
                    END IF;
                    IF fits THEN
                        vw[j] := s;
                    ELSE
                        standings[i] := 1;
                        IF v0[j] > full_us AND costs[i] <= capacities[i] THEN clamped[i] := full_us; END IF;
                    END IF;
                ELSE
                    SELECT * INTO s, c, e FROM seawall_ratelimit_roll(
                        kinds[i], spans[i], capacities[i], now_us, vw[j], cw[j], ew[j]);
                    fades := spans[i] - greatest(now_us - s, 0);
                    fits := capacities[i] - costs[i] - c >= 0 AND (e = 0 OR
                        e::numeric * fades <= (capacities[i] - costs[i] - c)::numeric * spans[i]);
                    IF fits THEN
                        vw[j] := s; cw[j] := c + costs[i]; ew[j] := e;
                    ELSE
                        standings[i] := 1;
                        IF v0[j] > s AND costs[i] <= capacities[i] THEN clamped[i] := s; END IF;
                    END IF;
                END IF;
                IF standings[i] = 0 THEN
                    vs[i] := vw[j]; cs[i] := cw[j]; es[i] := ew[j];
                ELSIF NOT shadows[i] THEN
                    denied := true;
                END IF;
            ELSIF op = 'u' THEN
                IF kinds[i] = 0 THEN
                    full_us := now_us + spans[i] * capacities[i];
                    -- More than the capacity is no more than the capacity, and does not overflow.
                    vw[j] := least(least(greatest(vw[j], now_us), full_us)
                                   + least(costs[i], capacities[i]) * spans[i], full_us);
                ELSE
                    SELECT * INTO s, c, e FROM seawall_ratelimit_roll(
                        kinds[i], spans[i], capacities[i], now_us, vw[j], cw[j], ew[j]);
                    fades := spans[i] - greatest(now_us - s, 0);
                    counts := div(e::numeric * fades + spans[i] - 1, spans[i]);
                    vw[j] := s; ew[j] := e;
                    cw[j] := c + least(costs[i], greatest(capacities[i] - c - counts, 0));
                END IF;
                vs[i] := vw[j]; cs[i] := cw[j]; es[i] := ew[j];
            ELSIF op = 'f' THEN
                IF kinds[i] = 0 THEN
                    s := least(greatest(vw[j], now_us), now_us + spans[i] * capacities[i]);
                    e := greatest(least(coalesce(extras[i], s), s) - now_us, 0);
                    vw[j] := s - least(costs[i]::numeric * spans[i], e)::bigint;
                ELSE
                    SELECT * INTO s, c, e FROM seawall_ratelimit_roll(
                        kinds[i], spans[i], capacities[i], now_us, vw[j], cw[j], ew[j]);
                    IF extras[i] IS NULL OR extras[i] >= s THEN
                        c := greatest(c - costs[i], 0);
                    ELSIF s - extras[i] <= spans[i] THEN
                        e := greatest(e - costs[i], 0);
                    END IF;
                    vw[j] := s; cw[j] := c; ew[j] := e;
                END IF;
                vs[i] := vw[j]; cs[i] := cw[j]; es[i] := ew[j];
            ELSIF op = 'b' THEN
                standings[i] := 2;
            END IF;
        END LOOP;

        -- A denial that is seen without a lock is a denial; what fits must fit under locks too.
        EXIT WHEN locking OR denied OR op = 'p' OR n = 0;
        locking := true;
    END LOOP;

    IF op = 'p' OR denied THEN
        FOR i IN 1 .. n LOOP
            IF standings[i] = 0 THEN
                vs[i] := v0[i]; cs[i] := c0[i]; es[i] := e0[i];
            END IF;
        END LOOP;
    END IF;
    IF op = 'c' AND num_nonnulls(VARIADIC clamped) > 0 THEN
        -- In the order of their keys, and before any block, as above.
        PERFORM FROM seawall_ratelimit t
          WHERE t.key IN (SELECT k FROM unnest(counters, clamped) u (k, back) WHERE back IS NOT NULL)
          ORDER BY t.key FOR UPDATE;
        UPDATE seawall_ratelimit t
           SET until = CASE WHEN w.kind = 0 THEN w.back
                            WHEN w.kind = 1 AND t.current > 0 THEN w.back + 2 * w.span
                            ELSE w.back + w.span END,
               start = CASE WHEN w.kind <> 0 THEN w.back END,
               current = CASE WHEN w.kind <> 0 THEN least(t.current, w.capacity) END,
               earlier = CASE w.kind WHEN 1 THEN least(t.earlier, w.capacity) WHEN 2 THEN 0 END
          FROM (SELECT k, kind, span, min(back) AS back, min(capacity) AS capacity
                  FROM unnest(counters, kinds, spans, clamped, capacities)
                       u (k, kind, span, back, capacity)
                 WHERE back IS NOT NULL GROUP BY k, kind, span) w
         WHERE t.key = w.k AND CASE WHEN w.kind = 0 THEN t.until ELSE t.start END > w.back;
    END IF;
    IF denied AND op = 'c' THEN
        INSERT INTO seawall_ratelimit AS t (key, until)
        SELECT b.k, now_us + max(b.x)
          FROM unnest(blocks, extras, standings, shadows, looks) b (k, x, standing, shadow, look)
         WHERE b.look AND b.standing = 1 AND NOT b.shadow AND b.x > 0
         GROUP BY b.k ORDER BY b.k
        ON CONFLICT (key) DO UPDATE SET until = greatest(t.until, excluded.until);
        FOR i IN 1 .. n LOOP
            IF looks[i] AND standings[i] = 1 AND NOT shadows[i] AND extras[i] > 0 THEN
                blocked[i] := now_us + extras[i];
            END IF;
        END LOOP;
    ELSIF op IN ('c', 'u', 'f') THEN
        UPDATE seawall_ratelimit t
           SET until = CASE WHEN w.kind = 0 THEN w.v
                            WHEN w.kind = 1 AND w.c > 0 THEN w.v + 2 * w.span
                            ELSE w.v + w.span END,
               start = CASE WHEN w.kind <> 0 THEN w.v END,
               current = CASE WHEN w.kind <> 0 THEN w.c END,
               earlier = CASE WHEN w.kind <> 0 THEN w.e END
          FROM (SELECT DISTINCT ON (k) * FROM
                    unnest(counters, kinds, spans, vw, cw, ew, standings) WITH ORDINALITY
                    u (k, kind, span, v, c, e, standing, o) ORDER BY k, o) w
         WHERE t.key = w.k AND (w.v, w.c, w.e) IS DISTINCT FROM
               (coalesce(CASE WHEN w.kind = 0 THEN t.until ELSE t.start END, 0),
                coalesce(t.current, 0), coalesce(t.earlier, 0));
    END IF;
END $$;

-- Deletes what means nothing any more from at most so many pages at a random place, passing over
-- what others hold. Returns how many rows that were.
CREATE OR REPLACE FUNCTION seawall_ratelimit_sweep(pages bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    total bigint := pg_relation_size('seawall_ratelimit') / current_setting('block_size')::bigint;
    first_page bigint := greatest(floor(random() * (total + pages - 1))::bigint - pages + 1, 0);
    -- A minute of grace: a clock that is set back a little finds its counters.
    gone_us bigint := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - 60000000;
    swept bigint;
BEGIN
    DELETE FROM seawall_ratelimit WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM seawall_ratelimit
         WHERE ctid >= format('(%s,0)', first_page)::tid
           AND ctid < format('(%s,0)', first_page + pages)::tid
           AND until < gone_us
           FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS swept = ROW_COUNT;
    RETURN swept;
END $$
