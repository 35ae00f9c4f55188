-- Takes a job back if no worker has taken it, else tells the worker to end it.
-- KEYS: 1 {O}:own  2 {O}:j:JOB  3 {O}:q:P
-- ARGV: 1 group  2 token  3 reason  4 control channel  + cluster, epoch, owner
-- Returns: 1 taken back (it will not run under this token), 0 told; error FENCED
if not fence(KEYS[1]) then return refused(KEYS[1]) end
local cur = redis.call('HMGET', KEYS[2], 'token', 'entry')
if cur[1] ~= ARGV[2] then return 1 end
local there = #redis.call('XRANGE', KEYS[3], cur[2], cur[2]) == 1
if there then
  local pending = redis.pcall('XPENDING', KEYS[3], ARGV[1], cur[2], cur[2], 1)
  if pending.err or #pending == 0 then
    redis.call('XDEL', KEYS[3], cur[2])
    redis.call('DEL', KEYS[2])
    return 1
  end
end
redis.call('HSET', KEYS[2], 'abort', ARGV[3])
redis.call('PUBLISH', ARGV[4], cjson.encode({ token = ARGV[2], why = 'abort', reason = ARGV[3] }))
return 0
