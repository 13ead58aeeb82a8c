-- A record, how it is read and written: the head of each script about records. It decides as
-- seawall_idempotency::machine does.
--
-- KEYS: the record. ARGV[1]: the time in microseconds, or nothing for the server's own.
--
-- The value is a head of 89 bytes (a letter for the state: r reserved, c completed, x released; the
-- nonce; the fingerprint; then as doubles the fence, the attempt, when the lease ends, when the record
-- expires, and how long lease and retention are) and, once completed, the payload. Fences and
-- moments are whole microseconds below 2^53, where doubles are exact.
local call, pcall, format = redis.call, redis.pcall, string.format
local ceil, max, min = math.ceil, math.max, math.min
local key, now, lasting = KEYS[1], tonumber(ARGV[1]), true
if not now then
  local time = call('TIME')
  now, lasting = time[1] * 1000000 + time[2], false
end

local HEAD, LAYOUT = 89, '>c1c8c32dddddd'
local GONE, TAKEN_OVER, COMPLETED, DONE, TOO_LARGE = 1, 2, 3, 0, 4

local function head_of(r)
  return struct.pack(
    LAYOUT, r.state, r.nonce, r.print, r.fence, r.attempt, r.lease_until, r.expires, r.lease,
    r.retention
  )
end

-- Redis counts from the millisecond in which the script began: one more, or the key would go up to a
-- millisecond too early.
local function life(til) return max(ceil((til - now) / 1000), 0) + 1 end

-- A write that frees or takes no memory, and is therefore carried out when memory is full; and so are
-- those that follow it, since Redis stops no script half way.
local function stay(til)
  if lasting then
    call('PERSIST', key)
  else
    call('PEXPIRE', key, life(til))
  end
end

-- Writes the head in place.
local function save(r)
  stay(r.expires)
  call('SETRANGE', key, 0, head_of(r))
end

-- Writes the whole value, and answers the error if there is one. Want of memory is one only if it may
-- be; otherwise the value is written nonetheless.
local function put(r, payload, may_be_full)
  local value = head_of(r) .. payload
  local function set(run)
    if lasting then return run('SET', key, value) end
    return run('SET', key, value, 'PX', life(r.expires))
  end
  local failed = set(pcall).err
  if not failed then return nil end
  if not string.find(failed, 'OOM', 1, true) or may_be_full then return failed end
  stay(r.expires)
  set(call)
  return nil
end

-- The record, whatever its state, and whether there still is one. What has more left than it was ever
-- given is from a clock that was ahead: it is given that once more from now on, so that no key is
-- stuck until the clock has caught up.
local function find()
  local head = call('GETRANGE', key, 0, HEAD - 1)
  if head == '' then return nil, false end
  local r = {}
  r.state, r.nonce, r.print, r.fence, r.attempt, r.lease_until, r.expires, r.lease, r.retention =
    struct.unpack(LAYOUT, head)
  if r.state == 'x' then return r, false end
  local lease_until, expires = min(r.lease_until, now + r.lease), min(r.expires, now + r.retention)
  if lease_until < r.lease_until or expires < r.expires then
    r.lease_until, r.expires = lease_until, expires
    save(r)
  end
  return r, r.expires > now
end

-- To what the token (ARGV[2] its nonce, ARGV[3] its fence) has lost the record; nil: it has it.
local function lost(r, is_live)
  if not is_live then return GONE end
  if r.nonce ~= ARGV[2] or format('%.0f', r.fence) ~= ARGV[3] then return TAKEN_OVER end
  if r.state == 'c' then return COMPLETED end
  return nil
end
