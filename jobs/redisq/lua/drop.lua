-- Deletes a tree.
-- KEYS: 1 {t:TREE}:tree
-- ARGV: cluster, epoch, owner
-- Returns: 1 deleted, 0 it was gone; error FENCED
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if not fence(KEYS[1]) then return refused(KEYS[1]) end
return redis.call('DEL', KEYS[1])
