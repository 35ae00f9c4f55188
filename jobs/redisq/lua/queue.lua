-- Queues a job under a lease token. A former lease of the job ends here.
-- KEYS: 1 {O}:own  2 {O}:j:JOB  3 {O}:q:P  4 {O}:j:JOB:log  5 {O}:beat
-- ARGV: 1 group  2 token  3 job id  4 job  5 control channel  6 log line, or none (the log is made all the same: workers only append)  7 log lines  8 tree  + cluster, epoch, owner
-- Returns: the id of the queue entry (the present one, if this lease is queued already); error FENCED;
--          error ANEW when there is no owner record: the server was emptied, the job's tree with it
if redis.call('EXISTS', KEYS[1]) == 0 then
  return redis.error_reply('ANEW the owner record is missing')
end
if not fence(KEYS[1]) then return refused(KEYS[1]) end
local cur = redis.call('HMGET', KEYS[2], 'token', 'entry')
if cur[1] == ARGV[2] then return cur[2] end
if redis.call('EXISTS', KEYS[3]) == 0 then redis.call('XGROUP', 'CREATE', KEYS[3], ARGV[1], '0', 'MKSTREAM') end
if cur[1] then
  redis.pcall('XACK', KEYS[3], ARGV[1], cur[2])
  redis.call('XDEL', KEYS[3], cur[2])
  redis.call('HDEL', KEYS[5], cur[1])
  redis.call('PUBLISH', ARGV[5], cjson.encode({ token = cur[1], why = 'lost' }))
  redis.call('DEL', KEYS[2])
end
local entry = redis.call('XADD', KEYS[3], '*', 'job', ARGV[3], 'tree', ARGV[8], 'token', ARGV[2])
redis.call('HSET', KEYS[2], 'token', ARGV[2], 'entry', entry, 'job', ARGV[4])
redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[7], '*', ARGV[6] == '' and 'm' or 'l', ARGV[6])
return entry
