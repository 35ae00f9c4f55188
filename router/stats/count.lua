-- Counts what lies at the front of a router's inbox, and takes it out there, or does
-- nothing.
-- KEYS[1] the inbox  KEYS[2..] what is written, all of one shard
-- ARGV[1] what must lie at the front
-- ARGV[2..] for each of KEYS[2..]: what to do, how many times, and the arguments
-- of each: append (value), add (field, count), due (time, member), first (time, app)
-- Returns 1 done, 0 something else lies there.
if redis.call('GETRANGE', KEYS[1], 0, #ARGV[1] - 1) ~= ARGV[1] then
  return 0
end
-- First what makes room: a server that is full lets a script go on that began so.
local rest = redis.call('GETRANGE', KEYS[1], #ARGV[1], -1)
redis.call('DEL', KEYS[1])
if rest ~= '' then
  redis.call('SET', KEYS[1], rest)
end
local at = 2
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
return 1
