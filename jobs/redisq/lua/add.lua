-- Writes a new tree.
-- KEYS: 1 {t:TREE}:tree
-- ARGV: 1 meta  2 channel  3 event  4.. pairs of field and job  + cluster, epoch, owner
-- Returns: 1 written, 0 it exists already; error FENCED
if not fence(KEYS[1]) then return refused(KEYS[1]) end
if redis.call('HEXISTS', KEYS[1], 'v') == 1 then return 0 end
redis.call('PERSIST', KEYS[1])
redis.call('HSET', KEYS[1], 'v', 1, 'meta', ARGV[1])
for i = 4, #ARGV - 3, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1
