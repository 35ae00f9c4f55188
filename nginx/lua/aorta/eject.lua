-- Passive ejection: an instance that refuses connections, or times out or
-- resets three times in half a minute, is left out for 10 s, and for twice as
-- long each time it fails again. Never the last of its group and at most half
-- of it. What was ejected reaches the other workers by a shared dict.
local T = require "aorta.layout"
local flights = require "aorta.flights"

local shared = ngx.shared.aorta_ejected

local FIRST, LONGEST = 10, 320     -- seconds left out
local STRIKES, WINDOW = 3, 30      -- failures that may be the app's own, in seconds
local VERSION = "version"

local M = {}

local out = {} -- slot -> id, instances ejected as far as this worker knows
local seen = 0 -- version of the shared dict that out holds
local others = 0 -- machines whose instances are left out (aorta.machines)

local function count()
  local now, n = ngx.now(), 0
  for slot, id in pairs(out) do
    if flights.id(slot) ~= id or T.ejected_until[slot] <= now then
      out[slot] = nil
    else
      n = n + 1
    end
  end
  T.ejected = n + others
end

local function hold(id, till)
  local slot = flights.slot(id)
  if slot then
    out[slot] = id
    T.ejected_until[slot] = math.max(T.ejected_until[slot], till)
  end
end

-- refresh takes over what other workers ejected.
function M.refresh()
  local version = shared:get(VERSION) or 0
  if version ~= seen then
    seen = version
    for _, key in ipairs(shared:get_keys(4096)) do
      local id = key:match("^e:(.+)$")
      local till = id and shared:get(key)
      if till then
        hold(id, till)
      end
    end
  end
  if next(out) or T.ejected > 0 then
    count()
  end
end

-- group_of is the group of the record that has the slot.
local function group_of(host, slot)
  for i = 0, host.groups - 1 do
    local g = host.group[i]
    for k = 0, g.size - 1 do
      if g.first[k].slot == slot then
        return g
      end
    end
  end
end

local function may_eject(host, slot)
  local g = group_of(host, slot)
  if not g then
    return false
  end
  local now, already = ngx.now(), 0
  for k = 0, g.size - 1 do
    if T.ejected_until[g.first[k].slot] > now then
      already = already + 1
    end
  end
  return (already + 1) * 2 <= g.size
end

-- till is until when an instance is left out by itself.
function M.till(id)
  return id and shared:get("e:" .. id) or 0
end

-- held_back notes how many machines' instances are left out.
function M.held_back(machines)
  others = machines
  count()
end

local function struck(id)
  return shared:incr("s:" .. id, 1, 0, WINDOW) >= STRIKES
end

-- failed is called once for each attempt that an instance failed; unsent tells
-- that the request never reached it.
function M.failed(host, slot, unsent)
  local id = flights.id(slot)
  if not id or not (unsent or struck(id)) or not may_eject(host, slot) then
    return
  end
  local before = shared:get("n:" .. id) or 0
  local seconds = math.min(LONGEST, FIRST * 2 ^ before)
  local till = ngx.now() + seconds
  -- add: requests that failed together, here or in other workers, count as one
  -- failure.
  if not shared:add("e:" .. id, till, seconds) then
    hold(id, shared:get("e:" .. id) or till)
    return count()
  end
  shared:set("n:" .. id, before + 1, seconds * 2 + 60)
  shared:incr(VERSION, 1, 0)
  hold(id, till)
  count()
  ngx.log(ngx.WARN, "instance ", id, " fails, left out for ", seconds, " s")
end

return M
