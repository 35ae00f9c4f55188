-- Removes tombstones that are as old as the caller found them.
-- KEYS[1] routes:meta  KEYS[2] routes:changes  KEYS[3..] record keys
-- ARGV[1] cluster  ARGV[2] epoch  ARGV[3] owner
-- ARGV[4..] host name and the tombstone as read, one after the other
-- Returns the number removed, -1 another owner has claimed the table or nobody.
local meta = redis.call('HMGET', KEYS[1], 'cluster', 'owner_epoch', 'owner')
if meta[1] ~= ARGV[1] or meta[2] ~= ARGV[2] or meta[3] ~= ARGV[3] then
  return -1
end
local removed = 0
for i = 3, #KEYS do
  local at = 4 + 2 * (i - 3)
  if redis.call('GET', KEYS[i]) == ARGV[at + 1] then
    redis.call('DEL', KEYS[i])
    redis.call('ZREM', KEYS[2], ARGV[at])
    removed = removed + 1
  end
end
return removed
