-- Notes the last slot of a periodic tree.
-- KEYS: 1 owner record  2 {jobs}:periodic
-- ARGV: 1 name  2 Unix seconds of the slot  + cluster, epoch, owner
-- Returns: 1 noted; error FENCED; error ANEW when there is no owner record
if redis.call('EXISTS', KEYS[1]) == 0 then
  return redis.error_reply('ANEW the owner record is missing')
end
if not fence(KEYS[1]) then return refused(KEYS[1]) end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 1
