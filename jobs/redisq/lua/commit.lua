-- Writes the changed jobs of a tree if nothing was written since it was read.
-- KEYS: 1 {t:TREE}:tree
-- ARGV: 1 version that was read  2 meta  3 channel  4 event  5.. pairs of field and job  + cluster, epoch, owner
-- Returns: the new version; -1 no such tree; -2 another version; error FENCED
local v = redis.call('HGET', KEYS[1], 'v')
if not v then return -1 end
if not fence(KEYS[1]) then return refused(KEYS[1]) end
if v ~= ARGV[1] then return -2 end
redis.call('HSET', KEYS[1], 'meta', ARGV[2])
for i = 5, #ARGV - 3, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('PUBLISH', ARGV[3], ARGV[4])
return redis.call('HINCRBY', KEYS[1], 'v', 1)
