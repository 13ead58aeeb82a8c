-- Sets the lease to end so many microseconds from now.
-- ARGV: the time, the token's nonce and fence, and the lease in microseconds.
-- Answers a number as named in the head.
local r, is_live = find()
local to = lost(r, is_live)
if to then return to end
r.lease = tonumber(ARGV[4])
r.lease_until = min(now + r.lease, r.expires)
save(r)
return DONE
