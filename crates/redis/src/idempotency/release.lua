-- Forgets the record: nothing happened.
-- ARGV: the time, the token's nonce and fence, and how long its fence is remembered at most, in
-- microseconds, so that the next one is higher even if the clock is set back in between.
-- Answers a number as named in the head.
local r, is_live = find()
local to = lost(r, is_live)
if to then return to end
r.state, r.expires = 'x', min(r.expires, now + tonumber(ARGV[4]))
save(r)
return DONE
