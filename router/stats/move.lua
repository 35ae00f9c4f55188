-- Packs a key anew, moves its records to a coarser key, or deletes it.
-- KEYS[1] the key  KEYS[2] the app's due set  KEYS[3] the coarser key, if any
-- ARGV[1] what the key must hold ("" is nothing)  ARGV[2] its member in due
-- ARGV[3] what it holds from now on ("" deletes it)  ARGV[4] its next due time
-- and, with KEYS[3]: ARGV[5] what is appended there  ARGV[6] that key's member
-- in due  ARGV[7] its due time
-- Returns 1 done, 0 the key holds something else by now.
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then
  return 0
end
if ARGV[3] == '' then
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[2], ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[3])
  redis.call('ZADD', KEYS[2], ARGV[4], ARGV[2])
end
if KEYS[3] and ARGV[5] ~= '' then
  redis.call('APPEND', KEYS[3], ARGV[5])
  redis.call('ZADD', KEYS[2], ARGV[7], ARGV[6])
end
return 1
