-- Decides charges together, in the arithmetic of seawall_ratelimit::machine.
--
-- KEYS: for each charge its counter, then its block if blocks are looked up.
-- ARGV: the operation; the time in microseconds, or nothing for the server's own; then for each
-- charge flags, span, capacity and cost, then (if blocks are looked up) the penalty, or (for a
-- refund) when the grant was paid.
--   flags: algorithm (0 GCRA, 1 sliding, 2 fixed), + 4 shadow, + 8 blocks are looked up
--   span: the interval of one unit for GCRA, the period for windows
-- Answers: the time, then for each charge its standing (0 allowed, 1 over limit, 2 blocked), its
-- state (GCRA: arrival time; windows: start, current, earlier), and its block if looked up.
--
-- Every number is whole and below 2^53, or is only compared with such; doubles are exact there.
local call, floor, ceil, format = redis.call, math.floor, math.ceil, string.format
local max, min = math.max, math.min
-- A third faster than '%.0f', but where a C long has 32 bits.
local whole = #format('%d', 2 ^ 40) == 13 and '%d' or '%.0f'
local op, now, lasting = ARGV[1], tonumber(ARGV[2]), false
if now then
  lasting = true
else
  local time = call('TIME')
  now = time[1] * 1000000 + time[2]
end

local n_keys = #KEYS
local raw = {}
if n_keys > 0 then raw = call('MGET', unpack(KEYS)) end

local function write(key, value, til)
  if lasting then
    call('SET', key, value)
  else
    -- Redis counts from the millisecond in which the script began: one more, or the key would go
    -- up to a millisecond too early and what it counts be forgotten.
    call('SET', key, value, 'PX', format(whole, max(ceil((til - now) / 1000), 0) + 1))
  end
end

-- The way of nearly all calls: different keys, counted by GCRA and nothing more, and all of them fit.
-- Nothing is written unless they do; else the long way below decides, from the beginning.
local function all_fit()
  local out, seen, a = { now }, {}, 3
  for i = 1, n_keys do
    local name = KEYS[i]
    if ARGV[a] ~= '0' or seen[name] then return nil end
    seen[name] = true
    -- Adding nothing makes a number of text, without a call.
    local span, limit, cost = ARGV[a + 1] + 0, ARGV[a + 2] + 0, ARGV[a + 3] + 0
    local full = now + span * limit
    local v = min(max(tonumber(raw[i]) or 0, now), full) + cost * span
    if cost > limit or v > full then return nil end
    out[2 * i], out[2 * i + 1] = 0, v
    a = a + 4
  end
  for i = 1, n_keys do
    local v = out[2 * i + 1]
    write(KEYS[i], format(whole, v), v)
  end
  return out
end

if op == 'c' then
  local out = all_fit()
  if out then return out end
end

-- a * b as three digits to the base 2^20, for a < 2^32 and b < 2^45.
local function product(a, b)
  local low = a * (b % 1048576)
  b = floor(b / 1048576)
  local middle = a * (b % 1048576) + floor(low / 1048576)
  return a * floor(b / 1048576) + floor(middle / 1048576), middle % 1048576, low % 1048576
end

local function at_most(a, b, c, d)
  local left, right = a * b, c * d
  if left < 9007199254740992 and right < 9007199254740992 then return left <= right end
  local a2, a1, a0 = product(a, b)
  local c2, c1, c0 = product(c, d)
  if a2 ~= c2 then return a2 < c2 end
  if a1 ~= c1 then return a1 < c1 end
  return a0 <= c0
end

local function roll(kind, period, limit, s, c, e)
  local start = now - now % period
  c = min(c, limit)
  e = kind == 1 and min(e, limit) or 0
  if s >= start then return min(s, start + period), c, e end
  if kind == 1 and start - s == period then return start, 0, c end
  return start, 0, 0
end

local function parse(value)
  if not value then return 0, 0, 0 end
  local s, c, e = string.match(value, '^(%d+):(%d+):(%d+)$')
  return tonumber(s) or 0, tonumber(c) or 0, tonumber(e) or 0
end

local function left_of(period, s) return period - max(now - s, 0) end

local function fits(period, limit, cost, s, c, e)
  local room = limit - cost - c
  return room >= 0 and (e == 0 or at_most(e, left_of(period, s), room, period))
end

-- What counts now, by name: a key that comes twice is charged twice.
local counters = {}
local function find(k, kind)
  local name = KEYS[k]
  local state = counters[name]
  if not state then
    state = { known = raw[k] and true, v = 0, c = 0, e = 0 }
    if kind == 0 then
      state.v = tonumber(raw[k]) or 0
    else
      state.v, state.c, state.e = parse(raw[k])
    end
    counters[name] = state
  end
  return state
end

local function store(k, kind, span, state)
  if kind == 0 then
    return write(KEYS[k], format(whole, state.v), state.v)
  end
  -- What is in a sliding window counts until the next one has ended.
  local ends = state.v + span
  if kind == 1 and state.c > 0 then ends = ends + span end
  write(KEYS[k], format('%.0f:%.0f:%.0f', state.v, state.c, state.e), ends)
end

local function consume(kind, span, limit, cost, state)
  if kind == 0 then
    if cost > limit then return false end
    local full = now + span * limit
    local charged = min(max(state.v, now), full) + cost * span
    if charged > full then return false end
    state.v = charged
    return true
  end
  local s, c, e = roll(kind, span, limit, state.v, state.c, state.e)
  if not fits(span, limit, cost, s, c, e) then return false end
  state.v, state.c, state.e = s, c + cost, e
  return true
end

-- What a denial has to leave behind where a state is further ahead than the quota can owe: it shrank,
-- or the clock jumped back. Else who waits as long as told would be told so again.
local function clamped(kind, span, limit, cost, v, c, e)
  if cost > limit then return nil end
  if kind == 0 then
    local full = now + span * limit
    return v > full and { v = full, c = 0, e = 0 } or nil
  end
  local s, current, earlier = roll(kind, span, limit, v, c, e)
  return s < v and { v = s, c = current, e = earlier } or nil
end

local function consume_up_to(kind, span, limit, cost, state)
  if kind == 0 then
    local full = now + span * limit
    state.v = min(min(max(state.v, now), full) + cost * span, full)
    return
  end
  local s, c, e = roll(kind, span, limit, state.v, state.c, state.e)
  -- Units of the earlier window that still count, rounded up: first about right, then exactly.
  local fades, counts = left_of(span, s), 0
  if e > 0 then
    counts = ceil(e * fades / span)
    while not at_most(e, fades, counts, span) do counts = counts + 1 end
    while counts > 0 and at_most(e, fades, counts - 1, span) do counts = counts - 1 end
  end
  state.v, state.c, state.e = s, c + min(cost, max(limit - c - counts, 0)), e
end

-- paid: for GCRA the arrival time right after the grant, for windows the moment of the grant.
local function refund(kind, span, limit, cost, paid, state)
  if kind == 0 then
    local v = min(max(state.v, now), now + span * limit)
    local outstanding = max(min(paid or v, v) - now, 0)
    state.v = v - min(cost * span, outstanding)
    return
  end
  local s, c, e = roll(kind, span, limit, state.v, state.c, state.e)
  if not paid or paid >= s then
    c = max(c - cost, 0)
  elseif s - paid <= span then
    e = max(e - cost, 0)
  end
  state.v, state.c, state.e = s, c, e
end

local charges, denied = {}, false
local k, a = 1, 3
while k <= n_keys do
  local flags = tonumber(ARGV[a])
  local kind, shadow, looks = flags % 4, flags % 8 >= 4, flags >= 8
  local span, limit, cost = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3])
  local extra = (looks or op == 'f') and tonumber(ARGV[a + 4])
  local blocked = looks and tonumber(raw[k + 1]) or 0
  local state = find(k, kind)
  local charge = {
    k = k, kind = kind, span = span, looks = looks, blocked = blocked, state = state, standing = 0,
    v = state.v, c = state.c, e = state.e,
  }

  if op == 'c' or op == 'p' then
    if blocked > now then
      charge.standing = 2
    elseif not consume(kind, span, limit, cost, state) then
      charge.standing = 1
      charge.clamped = op == 'c' and clamped(kind, span, limit, cost, state.v, state.c, state.e)
      charge.penalty = not shadow and looks and extra
    end
    if charge.standing ~= 0 and not shadow then denied = true end
  elseif op == 'u' then
    consume_up_to(kind, span, limit, cost, state)
    store(k, kind, span, state)
  elseif op == 'f' then
    if state.known then
      refund(kind, span, limit, cost, extra, state)
      store(k, kind, span, state)
    end
  elseif op == 'r' then
    call('DEL', KEYS[k], KEYS[k + 1])
    state.v, state.c, state.e = 0, 0, 0
  elseif op == 'b' then
    charge.standing = 2
    charge.blocked = max(blocked, now + extra)
    write(KEYS[k + 1], format(whole, charge.blocked), charge.blocked)
  end

  charge.v2, charge.c2, charge.e2 = state.v, state.c, state.e
  charges[#charges + 1] = charge
  a = a + (extra ~= false and 5 or 4)
  k = k + (looks and 2 or 1)
end

local stands = op ~= 'p' and not denied
local out, n = { now }, 1
for i = 1, #charges do
  local charge = charges[i]
  local v, c, e = charge.v, charge.c, charge.e
  if charge.standing == 0 then
    if stands then
      v, c, e = charge.v2, charge.c2, charge.e2
      if op == 'c' and not charge.state.stored then
        charge.state.stored = true
        store(charge.k, charge.kind, charge.span, charge.state)
      end
    elseif charge.kind == 0 then
      -- As it was before anything was tried, also where a key comes twice.
      v = tonumber(raw[charge.k]) or 0
    else
      v, c, e = parse(raw[charge.k])
    end
  else
    if charge.clamped and not charge.state.stored then
      store(charge.k, charge.kind, charge.span, charge.clamped)
    end
    if op == 'c' and denied and charge.penalty and charge.penalty > 0 then
      charge.blocked = now + charge.penalty
      write(KEYS[charge.k + 1], format(whole, charge.blocked), charge.blocked)
    end
  end
  out[n + 1], out[n + 2], n = charge.standing, v, n + 2
  if charge.kind ~= 0 then
    out[n + 1], out[n + 2], n = c, e, n + 2
  end
  if charge.looks then
    n = n + 1
    out[n] = charge.blocked
  end
end
return out
