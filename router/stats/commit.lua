-- Puts one batch into the router's inbox and moves the position with it, or does
-- nothing.
-- KEYS[1] the router's position  KEYS[2] its inbox
-- ARGV[1] the position that must be stored ("" is none)  ARGV[2] the new one
-- ARGV[3] the batch as an entry ("" is none)  ARGV[4] how many bytes may lie in an
-- inbox to which something is added
-- Returns 1 done, 0 the stored position is another one, 2 the inbox is full.
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then
  return 0
end
if ARGV[3] ~= '' then
  local waiting = redis.call('STRLEN', KEYS[2])
  if waiting > 0 and waiting + #ARGV[3] > tonumber(ARGV[4]) then
    return 2
  end
  redis.call('APPEND', KEYS[2], ARGV[3])
end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[2])
end
return 1
