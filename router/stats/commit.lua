-- Adds one batch and moves the position with it, or does nothing.
-- KEYS[1] the router's position  KEYS[2..] what is written, all of one shard
-- ARGV[1] the position that must be stored ("" is none)  ARGV[2] the new one
-- ARGV[3..] for each of KEYS[2..]: what to do, how many times, and the
-- arguments of each: append (value), add (field, count), due (time, member),
-- first (time, app)
-- Returns 1 done, 0 the stored position is another one.
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then
  return 0
end
local at = 3
for k = 2, #KEYS do
  local what, times = ARGV[at], tonumber(ARGV[at + 1])
  at = at + 2
  for _ = 1, times do
    if what == 'append' then
      redis.call('APPEND', KEYS[k], ARGV[at])
      at = at + 1
    else
      if what == 'add' then
        local said = redis.pcall('HINCRBY', KEYS[k], ARGV[at], ARGV[at + 1])
        -- A counter that one router filled up must not end the others' counting.
        if type(said) == 'table' and said.err and not said.err:find('overflow', 1, true) then
          return said
        end
      elseif what == 'due' then
        redis.call('ZADD', KEYS[k], ARGV[at], ARGV[at + 1])
      else
        redis.call('ZADD', KEYS[k], 'LT', ARGV[at], ARGV[at + 1])
      end
      at = at + 2
    end
  end
end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[2])
end
return 1
