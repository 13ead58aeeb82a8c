-- Takes the record if it can be taken.
-- ARGV: the time, the nonce, the fingerprint, the lease and the retention in microseconds, and
-- whether to take over from an attempt whose lease has run out (0 or 1).
-- Answers 0, fence and attempt: acquired; 1 and the payload: completed; 2 and what is left of the
-- lease: in progress; 3: another fingerprint; 4 and the attempt: unknown; 5: full.
local nonce, print, takes_over = ARGV[2], ARGV[3], ARGV[6] == '1'
local lease, retention = tonumber(ARGV[4]), tonumber(ARGV[5])
local r, is_live = find()
local attempt = 1
if is_live then
  local is_same = r.print == print
  if r.state == 'c' then
    if not is_same then return { 3 } end
    return { 1, call('GETRANGE', key, HEAD, -1) }
  end
  -- The reply to the same question was lost.
  if r.nonce == nonce then return { 0, r.fence, r.attempt } end
  if not is_same then return { 3 } end
  if r.lease_until > now then return { 2, r.lease_until - now } end
  if not takes_over then return { 4, r.attempt } end
  attempt = min(r.attempt + 1, 4294967295)
end
-- The present microsecond: larger than that of every record that has gone, unless the clock has been
-- set back by more than they were kept for.
local fence = now
if r and r.fence >= now then fence = r.fence + 1 end
fence = max(fence, 1)
local expires = now + retention
local taken = {
  state = 'r', nonce = nonce, print = print, fence = fence, attempt = attempt,
  lease_until = min(now + lease, expires), expires = expires, lease = lease, retention = retention,
}
-- What is there already has its room.
local failed = put(taken, '', not r)
if failed then
  if string.find(failed, 'OOM', 1, true) then return { 5 } end
  return redis.error_reply(failed)
end
return { 0, fence, attempt }
