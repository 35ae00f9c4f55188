-- What happens seldom: second attempts, failures, and requests that no
-- instance gets. None of it is compiled.
local ffi = require "ffi"
local T = require "aorta.layout"
local api = require "aorta.api"
local crowd = require "aorta.crowd"
local eject = require "aorta.eject"
local flights = require "aorta.flights"
local hosts = require "aorta.host"
local index = require "aorta.index"
local machines = require "aorta.machines"
local places = require "aorta.places"
local settings = require "aorta.settings"
local turns = require "aorta.turns"

local M = {
  -- request key -> slot of the instance that it is in flight on, and MARK times
  -- the status that its answer has to have, whatever nginx makes of it
  flying = {},
  MARK = 2 ^ 32,
  -- set once a table was loaded
  loaded = false,
}

local UNKNOWN = ',"host":""'

local function answer(r, name, text, len)
  api.log_part(r, text, len)
  local path = "unix:" .. settings.run_dir .. "/" .. name .. ".sock"
  api.peer(r, path, #path, 0)
end

local function refuse_unknown(r, name)
  if not M.loaded then
    return answer(r, "empty", UNKNOWN, #UNKNOWN)
  end
  return answer(r, name and "a404" or "a400", UNKNOWN, #UNKNOWN)
end

-- asked is the record that serves the request's host, and the host's name: nil
-- for what is no host name with or without a port.
function M.asked()
  local name = hosts.of_header(ngx.var.http_host or "")
  return name and index.resolve(name), name
end
local asked = M.asked

local function send(r, h, instance, choose_and_send)
  if T.ejected ~= 0 then
    instance = turns.steer(h, instance)
  end
  return choose_and_send(r, h, instance)
end

-- refuse takes the requests whose host has no record of its own or no
-- instance: a wildcard may serve them, else one of the local listeners answers.
-- It takes all while the worker's connections are scarce.
function M.refuse(r, choose_and_send)
  local h, name = asked()
  if not h then
    return refuse_unknown(r, name)
  end
  local cold = h.cold
  if cold.paused ~= 0 or h.total == 0 then
    return answer(r, "a503", cold.text, cold.text_len)
  end
  local crowded = crowd.refused(r, h)
  if crowded then
    return answer(r, crowded, cold.text, cold.text_len)
  end
  if h.special ~= 0 and not require("aorta.limits").fits(r, cold) then
    return answer(r, "a413", cold.text, cold.text_len)
  end
  return send(r, h, turns.pick(h), choose_and_send)
end
jit.off(M.refuse)

-- tried reads the attempts' instance ids from the request's own log part.
local function tried(part)
  local ids = {}
  for id in (part:match('"tried":%[([^%]]*)%]') or ""):gmatch('"([^"]+)"') do
    ids[#ids + 1] = id
  end
  ids[#ids + 1] = part:match('"instance":"([^"]+)"')
  return ids
end

-- nth is the n-th of the values that nginx lists per attempt; the last for nil.
local function nth(list, n)
  local last
  for value in (list or ""):gmatch("[^%s,:]+") do
    last = value
    n = n and n - 1
    if n == 0 then
      break
    end
  end
  return last
end

local MOST = 2       -- instances that a request is sent to
local PATIENCE = 10 -- seconds after which an instance is the last that it is sent to

-- times_sent is how many attempts have sent something of the request.
local function times_sent()
  local n = 0
  for value in (ngx.var.upstream_bytes_sent or ""):gmatch("%d+") do
    n = n + (value ~= "0" and 1 or 0)
  end
  return n
end

-- too_late says whether all that was tried took so long that the request is not
-- sent again: what takes an app its time would take another instance as much.
local function too_late()
  local seconds = 0
  for value in (ngx.var.upstream_response_time or ""):gmatch("[%d.]+") do
    seconds = seconds + value
  end
  return seconds >= PATIENCE
end

-- last is what nginx lists for the last attempt.
function M.last(list)
  return nth(list)
end

-- landed takes the request off the instance that it is in flight on.
local function landed(key)
  local slot = M.flying[key]
  if slot then
    slot = slot % M.MARK
    M.flying[key] = nil
    T.counts[slot] = T.counts[slot] - 1
  end
  return slot
end
M.landed = landed

-- overrule decides on the answer of a request in flight, overruled is the status
-- that was decided on.
function M.overrule(key, code)
  M.flying[key] = M.flying[key] % M.MARK + code * M.MARK
end

local function overruled(key)
  local value = M.flying[key] or 0
  return value >= M.MARK and math.floor(value / M.MARK) or nil
end

function M.overruled()
  return overruled(api.key(api.get_request()))
end

local function choose(h, failed, ids)
  local before = {}
  for _, id in ipairs(ids) do
    before[id] = true
  end
  local function fresh(instance)
    return not before[flights.id(instance.slot)]
  end
  local function fit(instance)
    return fresh(instance) and turns.at_large(instance)
  end
  -- All tried: an idle connection was just closed by the only instance.
  return turns.other(h, failed, fit) or turns.other(h, failed, fresh) or turns.pick(h)
end

-- nearby is an instance of the failed one's group, else any.
local function nearby(h, slot)
  for i = 0, h.cold.instances - 1 do
    if h.cold.first[i].slot == slot then
      return h.cold.first + i
    end
  end
  return h.cold.first + 0
end

-- judge is called once for each attempt that failed; unsent tells that nothing of
-- the request was sent.
local function judge(h, slot, unsent)
  if places.is_held(slot) then
    return
  end
  eject.failed(h, slot, unsent)
  if unsent then
    machines.unreached(slot, nth(ngx.var.upstream_status) == "504")
  end
end

-- again chooses for a request whose last attempt failed.
function M.again(r)
  local code = overruled(api.key(r))
  if code then
    local part = ngx.var.aorta_route
    landed(api.key(r))
    return answer(r, code == 413 and "a413" or "a504", part, #part)
  end
  local part = ngx.var.aorta_route or ""
  local ids = tried(part)
  local slot = landed(api.key(r))
  local h, name = asked()
  if not h then
    return refuse_unknown(r, name)
  end
  local unsent = nth(ngx.var.upstream_bytes_sent, #ids) == "0"
  if slot then
    judge(h, slot, unsent)
  end
  -- The request may be what ends them. nginx itself counts no attempt on a
  -- connection that it had kept.
  if times_sent() >= MOST then
    return answer(r, "a502", part, #part)
  end
  -- What was sent to a machine that is lost since has not been worked on for long.
  if not unsent and too_late() and not (slot and places.is_held(slot)) then
    return answer(r, nth(ngx.var.upstream_status) == "504" and "a504" or "a502", part, #part)
  end
  if h.total == 0 then
    return answer(r, "a503", part, #part)
  end
  local instance = choose(h, nearby(h, slot), ids)
  -- Half of the instances may have gone with their node: what was refused has
  -- cost nothing, and is worth another instance while there is one. A machine
  -- that is lost costs a wait.
  if unsent and #ids > 1 and #ids < h.total and not places.is_held(instance.slot) then
    api.more_tries(r, 1)
  end
  local text = ffi.string(instance.text, instance.text_len)
  if #ids > 0 then
    text = text .. ',"tried":["' .. table.concat(ids, '","') .. '"]'
  end
  api.log_part(r, text, #text)
  M.flying[api.key(r)] = instance.slot
  T.counts[instance.slot] = T.counts[instance.slot] + 1
  api.peer(r, instance.addr, instance.addr_len, instance.port)
end
jit.off(M.again)

-- fail judges a request that ended with 502 or 504. One that the app answered
-- so itself has bytes received.
function M.fail(slot)
  if nth(ngx.var.upstream_bytes_received) ~= "0" then
    return
  end
  local h = asked()
  if h then
    judge(h, slot, nth(ngx.var.upstream_bytes_sent) == "0")
  end
end
jit.off(M.fail)

-- is_lost says whether the request's last instance is on a machine that does not
-- answer.
function M.is_lost()
  local slot = flights.slot((ngx.var.aorta_route or ""):match('"instance":"([^"]+)"') or "")
  return slot and places.is_held(slot)
end

-- gave_up is for a request that got no answer in time.
function M.gave_up(r, k)
  local host = index.resolve(hosts.of_header(api.var(r, "http_host") or "") or "")
  if host then
    eject.failed(host, M.flying[k] % M.MARK, false)
  end
end

return M
