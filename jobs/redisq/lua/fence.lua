-- Put before every script. The last three ARGV are the caller's cluster, epoch
-- and owner. fence(key) compares them with the record in that hash:
--   missing, or a lower epoch: the record is written, "new" comes back
--   the same:                  "ok"
--   anything else:             nil, and the script must write nothing
-- refused(key) is the answer in that case.
local CLUSTER, EPOCH, OWNER = ARGV[#ARGV - 2], ARGV[#ARGV - 1], ARGV[#ARGV]

local function fence(key)
  local r = redis.call('HMGET', key, 'cluster', 'epoch', 'owner')
  if r[1] and r[1] ~= CLUSTER then return nil end
  local seen, mine = tonumber(r[2] or '-1'), tonumber(EPOCH)
  if seen > mine or (seen == mine and r[3] ~= OWNER) then return nil end
  if seen == mine then return 'ok' end
  redis.call('HSET', key, 'cluster', CLUSTER, 'epoch', EPOCH, 'owner', OWNER)
  return 'new'
end

local function refused(key)
  local r = redis.call('HMGET', key, 'cluster', 'epoch', 'owner')
  return redis.error_reply('FENCED by cluster ' .. tostring(r[1]) .. ', epoch ' .. tostring(r[2]) .. ', owner ' .. tostring(r[3]))
end
