-- Where the instance of each slot is: on which machine, by its address, and at
-- which port. All instances of a machine can be held back at once, those too that
-- come while it is.
local ffi = require "ffi"
local T = require "aorta.layout"
local network = require "aorta.network"

local M = {}

local numbers, addresses = {}, {} -- address -> number, number -> address
local by_bytes = {}               -- address as sockets have it -> address
local held = {}                   -- address -> true
local machines, ports             -- by slot: a machine's number, a port
local size = 0

local function grow(slot)
  local wanted = math.max(1024, size * 2, slot + 1)
  local new_machines, new_ports = ffi.new("uint32_t[?]", wanted), ffi.new("uint16_t[?]", wanted)
  if size > 0 then
    ffi.copy(new_machines, machines, size * 4)
    ffi.copy(new_ports, ports, size * 2)
  end
  machines, ports, size = new_machines, new_ports, wanted
end

local function number_of(address)
  local n = numbers[address]
  if not n then
    n = #addresses + 1
    numbers[address], addresses[n] = n, address
    by_bytes[network.pton(address:match("[^%[%]]+"))] = address
  end
  return n
end

-- put notes where a slot's instance is.
function M.put(slot, address, port)
  if slot >= size then
    grow(slot)
  end
  machines[slot], ports[slot] = number_of(address), port
  if held[address] then
    T.ejected_until[slot] = math.huge
  end
end

function M.address(slot)
  return addresses[machines[slot]]
end

function M.port(slot)
  return ports[slot]
end

-- named is the address of a machine that has had instances, for its bytes.
function M.named(bytes)
  return by_bytes[bytes]
end

-- slots lists up to so many of the machine's.
function M.slots(address, most)
  local n, list = numbers[address], {}
  for slot = 0, n and size - 1 or -1 do
    if machines[slot] == n then
      list[#list + 1] = slot
      if #list == most then
        break
      end
    end
  end
  return list
end

-- forget is for a slot that no instance has.
function M.forget(slot)
  machines[slot] = 0
end

-- hold keeps requests from the machine's instances, unless there are no others.
function M.hold(address)
  held[address] = true
  for _, slot in ipairs(M.slots(address)) do
    T.ejected_until[slot] = math.huge
  end
end

-- let_go ends that; till(slot) says until when one is left out by itself.
function M.let_go(address, till)
  held[address] = nil
  for _, slot in ipairs(M.slots(address)) do
    T.ejected_until[slot] = till(slot)
  end
end

function M.is_held(slot)
  return held[addresses[machines[slot]]] ~= nil
end

return M
