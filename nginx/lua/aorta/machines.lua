-- Machines that are lost: without power, or behind a broken link. One refuses
-- nothing, so that each request would wait at each of its instances. Once a
-- connection to one instance times out, the machine is suspected and all of its
-- instances are left out, in all workers and for all apps that have others. Then
-- it is asked for a sign of life: an app that accepts nothing is not a machine
-- that is lost. One that is lost is asked each second, comes back after 10 s at
-- the earliest, and after twice as long each time it is lost again.
local bit = require "bit"
local eject = require "aorta.eject"
local flights = require "aorta.flights"
local places = require "aorta.places"
local probe = require "aorta.probe"
local sockets = require "aorta.sockets"

local shared = ngx.shared.aorta_ejected

local FIRST, LONGEST = 10, 320 -- seconds left out
local EVERY = 1                -- seconds between two questions
local PORTS = 4                -- of instances that are asked
local SUSPECT = 0              -- in the shared dict; else the time until which it stays out
local VERSION = "machines"

local M = {}

local known = {} -- address -> its state, as far as this worker knows
local seen = 0   -- version of the shared dict that known holds

local function till(slot)
  return eject.till(flights.id(slot))
end

-- refresh makes known what the shared dict says.
local function refresh()
  seen = shared:get(VERSION) or 0
  local now, n = {}, 0
  for _, key in ipairs(shared:get_keys(0)) do
    local address = key:match("^m:(.+)$")
    local state = address and shared:get(key)
    if state then
      now[address], n = state, n + 1
      if not known[address] then
        places.hold(address)
      end
    end
  end
  for address in pairs(known) do
    if not now[address] then
      places.let_go(address, till)
    end
  end
  known = now
  eject.held_back(n)
end

local function announce()
  shared:incr(VERSION, 1, 0)
  refresh()
end

-- ports are those to ask at: one where most likely nobody listens, which the
-- machine itself refuses, then those of some instances.
local function ports(address, port)
  local list = {}
  for _, slot in ipairs(places.slots(address, PORTS)) do
    list[#list + 1] = places.port(slot)
  end
  if port and list[1] ~= port then
    list[#list + 1] = port
  end
  if list[1] then
    table.insert(list, 1, bit.bxor(list[1], 1))
  end
  return list
end

local function mark_lost(address)
  local losses = shared:incr("c:" .. address, 1, 0) or 1
  local seconds = math.min(LONGEST, FIRST * 2 ^ (losses - 1))
  shared:expire("c:" .. address, seconds * 2 + 60)
  shared:set("m:" .. address, ngx.now() + seconds)
  announce()
  ngx.log(ngx.WARN, "machine ", address, " does not answer, its instances are left out for ", seconds, " s at least")
end

local function mark_found(address)
  if shared:get("m:" .. address) ~= SUSPECT then
    ngx.log(ngx.NOTICE, "machine ", address, " answers again")
  end
  shared:delete("m:" .. address)
  announce()
end

-- inspect asks a machine that is suspected or lost.
local function inspect(premature, address, port)
  local state = shared:get("m:" .. address)
  if premature or not state then
    return
  end
  local asked = ports(address, port)
  local gone = #asked == 0 -- with all of its instances
  local answers = gone or probe.answers(address, asked)
  if answers and (gone or state <= ngx.now()) then
    mark_found(address)
  elseif not answers and state == SUSPECT then
    mark_lost(address)
  end
end

-- schedule_inspection has one of the workers look, at most once in a while.
local function schedule_inspection(address, port)
  if shared:add("l:" .. address, true, EVERY) then
    ngx.timer.at(0, inspect, address, port)
  end
end

local function suspect(address, port)
  if shared:add("m:" .. address, SUSPECT) then
    announce()
    schedule_inspection(address, port)
  elseif not known[address] then
    refresh()
  end
end

-- check asks first whether what could not be connected to without a wait was
-- refused by the machine, or has no way there.
local function check(premature, address, port)
  if not premature and not probe.answers(address, { port }) then
    suspect(address, port)
  end
end

-- unreached is called when a request could not be connected to the slot's
-- instance; late tells that nothing came of it in time.
function M.unreached(slot, late)
  local address, port = places.address(slot), places.port(slot)
  if late then
    suspect(address, port)
  elseif not known[address] and shared:add("q:" .. address, true, EVERY) then
    ngx.timer.at(0, check, address, port)
  end
end

-- What the kernel is told of sockets in use: seconds, and questions in vain.
local CALM_IDLE, CALM_INTERVAL, CALM_COUNT = 15, 5, 3
local LOST_IDLE, LOST_INTERVAL, LOST_COUNT = 1, 1, 5
local WAITING = 5000  -- ms
local IN_VAIN = 5      -- repetitions, the last of them after 6 s
local IN_VAIN_LOST = 3 -- the last of them after 1.4 s: the machine answers no question either

-- check_socket is for sockets while no machine is lost: one on which a request waits.
local function check_socket(fd)
  local info = sockets.info(fd)
  if not info or info.data_sent < WAITING and info.retransmits < IN_VAIN then
    return
  end
  if info.retransmits < IN_VAIN then
    return sockets.keepalive(fd, CALM_IDLE, CALM_INTERVAL, CALM_COUNT)
  end
  local bytes, port = sockets.peer(fd)
  local address = bytes and places.named(bytes)
  if address then
    suspect(address, port)
  end
end

-- check_socket_while_lost is for sockets while some machine is lost. What it has not
-- acknowledged is repeated without a question, for a quarter of an hour.
local function check_socket_while_lost(fd)
  local bytes = sockets.peer(fd)
  local state = bytes and known[places.named(bytes)]
  if not state then
    return check_socket(fd)
  end
  sockets.keepalive(fd, LOST_IDLE, LOST_INTERVAL, LOST_COUNT)
  local info = sockets.info(fd)
  if state ~= SUSPECT and info and (info.retransmits >= IN_VAIN_LOST or info.probes >= LOST_COUNT) then
    sockets.hang_up(fd)
  end
end

local CALM_PARTS, LOST_PARTS = 50, 10 -- ticks in which all sockets are looked at

-- tick takes over what other workers found, and looks at a part of the sockets.
function M.tick()
  if (shared:get(VERSION) or 0) ~= seen then
    refresh()
  end
  for address in pairs(known) do
    schedule_inspection(address)
  end
  if next(known) then
    sockets.part(LOST_PARTS, check_socket_while_lost)
  else
    sockets.part(CALM_PARTS, check_socket)
  end
end

-- lost lists the addresses of machines that do not answer.
function M.lost()
  local list = {}
  for address, state in pairs(known) do
    if state ~= SUSPECT then
      list[#list + 1] = address
    end
  end
  table.sort(list)
  return list
end

return M
