-- Counters per instance in this worker: requests in flight, and a slot for the
-- time until which it is ejected. An instance keeps its slot while any record
-- has it or a request is in flight on it. When it has left the table with
-- requests in flight, the count goes to a shared dict until it is zero, so that
-- a drain can be judged.
local ffi = require "ffi"
local places = require "aorta.places"
local T = require "aorta.layout"

local shared = ngx.shared.aorta_flights

local M = {}

local slots = {}   -- instance id -> slot
local ids = {}     -- slot -> instance id
local refs = {}    -- slot -> records that have it
local free = {}    -- slots to use again
local leaving = {} -- slot -> count that was exported last
local size = 0
local counts, untils -- what T points to

local function grow()
  local wanted = math.max(1024, size * 2)
  local new_counts = ffi.new("uint32_t[?]", wanted)
  local new_untils = ffi.new("double[?]", wanted)
  if size > 0 then
    ffi.copy(new_counts, counts, size * 4)
    ffi.copy(new_untils, untils, size * 8)
  end
  for slot = wanted - 1, size, -1 do
    free[#free + 1] = slot
  end
  counts, untils, size = new_counts, new_untils, wanted
  T.counts, T.ejected_until = counts, untils
end
grow()

-- enter gives the slot of an instance that one more record has.
function M.enter(id)
  local slot = slots[id]
  if not slot then
    if #free == 0 then
      grow()
    end
    slot = table.remove(free)
    slots[id], ids[slot], refs[slot] = slot, id, 0
    T.counts[slot], T.ejected_until[slot] = 0, 0
  end
  refs[slot] = refs[slot] + 1
  return slot
end

local function key(id)
  return M.pid .. ":" .. id
end

local function forget(slot)
  local id = ids[slot]
  slots[id], ids[slot], refs[slot], leaving[slot] = nil, nil, nil, nil
  free[#free + 1] = slot
  places.forget(slot)
end

-- export reports to the others how many are still in flight, and frees the slot
-- once there are none.
local function export(slot)
  local id, count = ids[slot], T.counts[slot]
  if refs[slot] > 0 then
    leaving[slot] = nil
    shared:delete(key(id))
  elseif count == 0 then
    shared:delete(key(id))
    forget(slot)
  elseif count ~= leaving[slot] then
    shared:set(key(id), count)
    leaving[slot] = count
  end
end

-- leave drops one record's hold. The count is exported at once: whoever sees
-- this worker at the new generation must also see what is still in flight.
function M.leave(slot)
  refs[slot] = refs[slot] - 1
  if refs[slot] == 0 then
    export(slot)
  end
end

-- tick exports what changed.
function M.tick()
  for slot in pairs(leaving) do
    export(slot)
  end
end

-- export_all is for a worker that exits: its table is no longer fed, so every
-- instance may have left. It returns how many requests are in flight.
function M.export_all()
  local total = 0
  for id, slot in pairs(slots) do
    local count = T.counts[slot]
    total = total + count
    if count > 0 then
      shared:set(key(id), count)
    else
      shared:delete(key(id))
    end
  end
  return total
end

function M.slot(id)
  return slots[id]
end

function M.id(slot)
  return ids[slot]
end

function M.start(pid)
  M.pid = pid
end

return M
