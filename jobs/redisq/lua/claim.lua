-- Takes a tree over and reads it. A tree that the index knows but that is not
-- there gets the owner's mark alone, for an hour, so that an older keeper that
-- was about to write it can't.
-- KEYS: 1 {t:TREE}:tree
-- ARGV: 1 seconds for the mark  + cluster, epoch, owner
-- Returns: the hash, flat (without "v": there is no such tree); error FENCED
if not fence(KEYS[1]) then return refused(KEYS[1]) end
if redis.call('HEXISTS', KEYS[1], 'v') == 0 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return redis.call('HGETALL', KEYS[1])
