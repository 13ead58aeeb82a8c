-- Remembers one message, if it is new. KEYS: the message. ARGV: the last second in which it may be
-- fresh, the verifier's time and how far the server's may be from it, all in seconds.
-- Answers 0 fresh, 1 known, 2 expired by the server's clock, 3 clocks too far apart.
if redis.replicate_commands then redis.replicate_commands() end
local time = redis.call('TIME')
local now = tonumber(time[1])
local expires, theirs, skew = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if math.abs(now - theirs) > skew then return 3 end
if expires < now then return 2 end
-- The second in which it expires is included.
local left = (expires + 1 - now) * 1000 - math.floor(tonumber(time[2]) / 1000)
local set = redis.call('SET', KEYS[1], '', 'PX', string.format('%.0f', math.max(left, 1)), 'NX')
if set then return 0 end
return 1
