-- Stores how the operation ended.
-- ARGV: the time, the token's nonce and fence, the payload, and the length of one that always fits.
-- Answers a number as named in the head.
local payload = ARGV[4]
local r, is_live = find()
local to = lost(r, is_live)
if to == COMPLETED then
  local is_same = call('STRLEN', key) == HEAD + #payload
    and call('GETRANGE', key, HEAD, -1) == payload
  return is_same and DONE or COMPLETED
end
if to then return to end
r.state = 'c'
local failed = put(r, payload, #payload > tonumber(ARGV[5]))
if failed then
  if string.find(failed, 'OOM', 1, true) then return TOO_LARGE end
  return redis.error_reply(failed)
end
return DONE
