-- Ends a lease on the queue's side, and deletes what the queue keeps of the job.
-- KEYS: 1 {O}:own  2 {O}:j:JOB  3 {O}:q:P  4 {O}:beat  5 {O}:j:JOB:log
-- ARGV: 1 group  2 control channel  3 "drop" to delete the log too  + cluster, epoch, owner
-- Returns: 1 there was a lease, 0 there was none; error FENCED
if not fence(KEYS[1]) then return refused(KEYS[1]) end
if ARGV[3] == 'drop' then redis.call('DEL', KEYS[5]) end
local cur = redis.call('HMGET', KEYS[2], 'token', 'entry')
if not cur[1] then return 0 end
redis.pcall('XACK', KEYS[3], ARGV[1], cur[2])
redis.call('XDEL', KEYS[3], cur[2])
redis.call('HDEL', KEYS[4], cur[1])
redis.call('DEL', KEYS[2])
redis.call('PUBLISH', ARGV[2], cjson.encode({ token = cur[1], why = 'lost' }))
return 1
