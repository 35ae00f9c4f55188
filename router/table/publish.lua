-- Writes records under one pair, and with the last part of a publish raises
-- meta to that pair and tells the routers.
-- KEYS[1] routes:meta  KEYS[2] routes:changes  KEYS[3..] record keys
-- ARGV[1] cluster  ARGV[2] epoch  ARGV[3] owner  ARGV[4] generation
-- ARGV[5] '1' when this is the last part  ARGV[6] channel
-- ARGV[7] JSON array of names to announce
-- ARGV[8..] host name and JSON, one after the other, in the order of the keys
-- Returns the change's sequence (above 0), 0 nobody has claimed the table, -1
-- another owner or epoch has, -2 the pair does not rise, -3 the table is
-- another cluster's.
local meta = redis.call('HMGET', KEYS[1], 'cluster', 'epoch', 'generation', 'owner_epoch', 'owner')
if not meta[5] then
  return 0
end
if meta[1] ~= ARGV[1] then
  return -3
end
if meta[4] ~= ARGV[2] or meta[5] ~= ARGV[3] then
  return -1
end
local epoch, generation = tonumber(ARGV[2]), tonumber(ARGV[4])
local heldEpoch, heldGeneration = tonumber(meta[2] or -1), tonumber(meta[3] or -1)
if epoch < heldEpoch or (epoch == heldEpoch and generation <= heldGeneration) then
  return -2
end

local seq = redis.call('HINCRBY', KEYS[1], 'seq', 1)
if seq == 1 then
  -- A master that was emptied counts from 1 again: a router that slept through
  -- that must not take its own last sequence for one of these.
  redis.call('HSET', KEYS[1], 'began', ARGV[2] .. '.' .. ARGV[4])
end
for i = 3, #KEYS do
  local at = 8 + 2 * (i - 3)
  redis.call('SET', KEYS[i], ARGV[at + 1])
  redis.call('ZADD', KEYS[2], seq, ARGV[at])
end
if ARGV[5] == '1' then
  redis.call('HSET', KEYS[1], 'epoch', ARGV[2], 'generation', ARGV[4])
  redis.call('PUBLISH', ARGV[6], string.format('{"cluster":"%s","epoch":%s,"generation":%s,"seq":%d,"names":%s}',
    ARGV[1], ARGV[2], ARGV[4], seq, ARGV[7]))
end
return seq
