-- Makes one process the only one that may publish.
-- KEYS[1] routes:meta
-- ARGV[1] cluster  ARGV[2] epoch  ARGV[3] owner
-- Returns 1 claimed (or held by the same owner already), -1 a higher epoch, or
-- this one by another owner, is there, -3 the table is another cluster's.
local meta = redis.call('HMGET', KEYS[1], 'cluster', 'epoch', 'owner_epoch', 'owner')
local epoch = tonumber(ARGV[2])
if meta[1] and meta[1] ~= ARGV[1] then
  return -3
end
if epoch < tonumber(meta[2] or 0) or epoch < tonumber(meta[3] or 0) then
  return -1
end
if meta[3] and epoch == tonumber(meta[3]) and meta[4] ~= ARGV[3] then
  return -1
end
redis.call('HSET', KEYS[1], 'cluster', ARGV[1], 'owner_epoch', ARGV[2], 'owner', ARGV[3])
return 1
