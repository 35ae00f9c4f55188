-- Takes back what the workers of a queue wrote beyond what they may have there.
-- KEYS: 1 {O}:out  2 {O}:beat  3.. {O}:q:P
-- ARGV: 1 how the logs' keys begin  2 how they end  3 the group  4 most bytes
-- Returns: how many bytes were taken back
local head, tail, group, most = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local taken = 0

local function used(key) return redis.call('MEMORY', 'USAGE', key) or 0 end

local function drop(keys)
  for _, key in ipairs(keys) do redis.call('UNLINK', key) end
end

-- Groups of others do not count as memory of the key.
for i = 3, #KEYS do
  local groups = redis.call('TYPE', KEYS[i]).ok == 'stream' and redis.call('XINFO', 'GROUPS', KEYS[i]) or {}
  for _, g in ipairs(groups) do
    local name = g[2]
    if name ~= group then
      redis.call('XGROUP', 'DESTROY', KEYS[i], name)
      taken = taken + #name
    end
  end
end

for i = 1, 2 do
  local bytes = used(KEYS[i])
  if bytes > most then
    drop({ KEYS[i] })
    taken = taken + bytes
  end
end

local logs, bytes, cursor = {}, 0, '0'
repeat
  local page = redis.call('SCAN', cursor, 'COUNT', 1000) -- a pattern costs most for names that are made for it
  cursor = page[1]
  for _, key in ipairs(page[2]) do
    if key:sub(1, #head) == head and key:sub(-#tail) == tail then
      logs[#logs + 1] = key
      bytes = bytes + #key + used(key)
    end
  end
until cursor == '0'
if bytes > most then
  drop(logs)
  taken = taken + bytes
end
return taken
