-- Adds to or removes from an index that lies beside an owner record, or claims.
-- KEYS: 1 owner record  2 a set of the same tag (not used by a claim)
-- ARGV: 1 "SADD" or "SREM", or "" to claim  2.. members  + cluster, epoch, owner
-- Returns: "new" when a claim found the record missing or older, else "ok";
--          error FENCED; error ANEW when there is no record and this is no claim
if ARGV[1] ~= '' and redis.call('EXISTS', KEYS[1]) == 0 then
  return redis.error_reply('ANEW the owner record is missing')
end
local f = fence(KEYS[1])
if not f then return refused(KEYS[1]) end
if ARGV[1] ~= '' then redis.call(ARGV[1], KEYS[2], unpack(ARGV, 2, #ARGV - 3)) end
return f
