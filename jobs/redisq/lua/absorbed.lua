-- Deletes messages that were worked in. A keeper that was succeeded deletes none:
-- what it does not understand is meant for its successor.
-- KEYS: 1 {O}:own  2 {O}:out
-- ARGV: 1.. entries  + cluster, epoch, owner
-- Returns: how many were there; error FENCED; error ANEW when there is no owner
--          record: the server was emptied, and must not look as if it were not
if redis.call('EXISTS', KEYS[1]) == 0 then
  return redis.error_reply('ANEW the owner record is missing')
end
if not fence(KEYS[1]) then return refused(KEYS[1]) end
return redis.call('XDEL', KEYS[2], unpack(ARGV, 1, #ARGV - 3))
