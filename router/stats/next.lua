-- Notes when an app is due next, after what was due is done.
-- KEYS[1] the app's due set  KEYS[2] the shard's apps
-- ARGV[1] the app
-- Returns 1 noted, 0 the app has nothing and is forgotten.
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if not first[2] then
  redis.call('ZREM', KEYS[2], ARGV[1])
  return 0
end
redis.call('ZADD', KEYS[2], first[2], ARGV[1])
return 1
