-- Makes the effect of a job, named by the job's id, unless it is there.
-- KEYS: 1 hash of effects: job → how many there were with it  2 hash of executions: job → how often it came here
-- ARGV: 1 job
-- Returns: 1 made, 0 it was there
redis.call('HINCRBY', KEYS[2], ARGV[1], 1)
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], redis.call('HLEN', KEYS[1]) + 1)
return 1
