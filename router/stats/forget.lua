-- Deletes everything of one app. The keys named by the due set are of the same
-- shard as those in KEYS.
-- KEYS[1] the app's due set  KEYS[2] the shard's apps  KEYS[3] the app's total
-- ARGV[1] the app  ARGV[2] the shard's prefix
-- Returns how many keys were deleted.
local gone = 0
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local level, rest = member:match('^([^:]+):(.*)$')
  if level then -- a router may have put anything there
    gone = gone + redis.call('DEL', ARGV[2] .. level .. ':' .. ARGV[1] .. ':' .. rest)
  end
end
gone = gone + redis.call('DEL', KEYS[1], KEYS[3])
redis.call('ZREM', KEYS[2], ARGV[1])
return gone
