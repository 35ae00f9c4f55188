-- Who may have how many of the worker's connections once half of them are taken:
-- no client and no app more than there are left, so that one that takes all it
-- can get leaves half, two leave a third, and the rest is the others'. A
-- sixteenth of all is too much for nobody, until less than a fifth is left:
-- then connections without a request in flight end, of those who have the most
-- first. A client keeps one. A request takes two, one towards its client and one
-- towards its instance.
--
-- What is refused is an app's next request (503) and a client's (429). Of such a
-- client the connections without a request in flight end too, among them those
-- whose request never becomes whole. A client is an IPv4 address or an IPv6
-- network of 64 bits; behind a trusted proxy the one that the proxy names, while
-- the proxy's own connections count for nobody.
local ffi = require "ffi"
local T = require "aorta.layout"
local api = require "aorta.api"
local connections = require "aorta.connections"
local network = require "aorta.network"
local settings = require "aorta.settings"

local M = {}

local FLOOR = 16    -- a sixteenth
local RESERVE = 5   -- a fifth: nginx ends new connections itself from a sixteenth on
local AGAIN = 1.5   -- times as many are free once connections were ended for it
local KEPT = 1      -- connections that a client keeps whatever is left
local PER_REQUEST = 2
local LATE = 4e-7   -- seconds without a look, for each connection that there can be
local TAKING = 5e-6 -- seconds that it takes to open a connection, at the least
local REPORTED = 60 -- seconds that who was at its limit is named
local MOST = 10     -- who are named
local TICK = 0.1    -- seconds between two looks, at the most
local SOONEST = 0.001

local heavy = {}    -- client -> connections, of those that have too many
local looked_at = 0 -- when that was found out
local limited = {}  -- kind and name -> what is reported of it

local function share()
  return math.max(connections.free(), connections.all / FLOOR)
end

-- note remembers who was at its limit, with how many connections, and how many
-- requests and connections it was refused.
local function note(kind, name, held, refused)
  local key = kind .. " " .. name
  local entry = limited[key]
  if not entry then
    entry = { kind = kind, name = name, refused = 0 }
    limited[key] = entry
    ngx.log(ngx.WARN, kind, " ", name, " has ", held, " of this worker's ", connections.all,
      " connections: more are refused, so that the others have some")
  end
  entry.held, entry.refused, entry.at = held, entry.refused + refused, ngx.now()
end

-- limits lists who was at its limit within the last minute, of many those with
-- the most.
function M.limits()
  local list, now = {}, ngx.now()
  for key, entry in pairs(limited) do
    if now - entry.at > REPORTED then
      limited[key] = nil
    else
      list[#list + 1] = entry
    end
  end
  table.sort(list, function(a, b) return a.held > b.held end)
  for i = #list, MOST + 1, -1 do
    list[i] = nil
  end
  return list
end

local function is_trusted(bytes)
  return #settings.trusted > 0 and network.contains(settings.trusted, bytes)
end

-- bytes_of is one address of the header, with or without a port, in bytes.
local function bytes_of(text)
  return network.pton(text:match("^([%d.]+):%d+$") or text:match("^%[([%x:.]+)%]") or text)
end

-- named_by_proxies is the last address of the header that is no trusted proxy's,
-- in bytes.
local function named_by_proxies(header)
  local named, client = {}, nil
  for text in header:gmatch("[^,%s]+") do
    named[#named + 1] = text
  end
  for i = #named, 1, -1 do
    local bytes = bytes_of(named[i])
    client = bytes or client
    if not bytes or not is_trusted(bytes) then
      return client
    end
  end
  return client
end

-- asking is the client of a request; nil for a trusted proxy that names none.
local function asking(r)
  local bytes = api.var(r, "binary_remote_addr")
  if bytes and is_trusted(bytes) then
    bytes = named_by_proxies(api.var(r, "http_x_forwarded_for") or "")
  end
  return bytes and connections.from_bytes(bytes)
end

-- by_proxy says whether the connection is a trusted proxy's.
local function by_proxy(c)
  return #settings.trusted > 0 and is_trusted(connections.bytes_of(c))
end

-- counted is how many connections the clients have, and how many of them have no
-- request in flight.
local function counted(busy)
  local counts, idle = {}, {}
  connections.each(function(client, c)
    local asks = busy(c)
    if by_proxy(c) then
      client = asks and asking(ffi.cast("ngx_http_request_t *", connections.request_of(c)))
    elseif not asks then
      idle[client] = (idle[client] or 0) + 1
    end
    if client then
      counts[client] = (counts[client] or 0) + (asks and PER_REQUEST or 1)
    end
  end)
  return counts, idle
end

-- spare is how many can be taken before connections end whoever has them.
local function spare()
  return connections.free() - connections.all / RESERVE
end

-- lacking is how many are to end then.
local function lacking()
  local left = spare()
  return left < 0 and (connections.free() - left) * AGAIN - connections.free() or 0
end

-- beyond is how many connections end when each client keeps that many.
local function beyond(kept, counts, idle)
  local n = 0
  for client, unused in pairs(idle) do
    n = n + math.max(0, math.min(unused, counts[client] - kept))
  end
  return n
end

-- level is the most that each client can keep when so many are to end.
local function level(lack, counts, idle)
  local low, high = KEPT, connections.all
  while low < high do
    local middle = math.ceil((low + high) / 2)
    if beyond(middle, counts, idle) >= lack then
      low = middle
    else
      high = middle - 1
    end
  end
  return low
end

-- drain adds the connections that end because hardly any are left.
local function drain(over, counts, idle)
  local lack = lacking()
  if lack == 0 then
    return
  end
  local kept = level(lack, counts, idle)
  for client in pairs(idle) do
    if counts[client] > kept then
      over[client] = math.max(over[client] or 0, counts[client] - kept)
    end
  end
end

-- excess are the clients that have more than their share, and how many of their
-- connections are to end: until they have half of what is left then, so that it
-- takes them a while to come back for more.
local function excess(counts)
  local most, over = share(), {}
  heavy = {}
  for client, n in pairs(counts) do
    if n > most then
      heavy[client], over[client] = n, math.ceil((2 * n - most) / 3)
    end
  end
  return over
end

-- shed ends connections without a request in flight.
local function shed(over, counts, busy)
  local ended = {}
  connections.each(function(client, c)
    local left = over[client]
    if left and left > 0 and not busy(c) and not by_proxy(c) then
      connections.hang_up(c)
      over[client], ended[client] = left - 1, (ended[client] or 0) + 1
    end
  end)
  for client, n in pairs(ended) do
    note("client", connections.named(client), counts[client], n)
  end
end

-- inspect finds who has too much. It costs something while connections are scarce
-- alone. The request that asks for it is not in flight yet.
local function inspect(mine)
  looked_at = ngx.now()
  if not connections.short() then
    heavy = next(heavy) and {} or heavy
    return
  end
  local flying = require("aorta.retry").flying
  local function busy(c)
    local key = connections.request_of(c)
    return key == mine or flying[key] ~= nil
  end
  local counts, idle = counted(busy)
  local over = excess(counts)
  drain(over, counts, idle)
  if next(over) then
    shed(over, counts, busy)
  end
end

-- pause is how long no more connections can be taken than there are to spare, or
-- what an inspection costs allows.
local function pause()
  return math.min(TICK, math.max(SOONEST, LATE * connections.all, TAKING * spare()))
end

-- watch looks until the worker exits. It is one loop and no timer, each run of
-- which takes a connection, when there may be none.
function M.watch()
  while not ngx.worker.exiting() do
    local ok, err = pcall(inspect)
    if not ok then
      ngx.log(ngx.ERR, "failed to run a look at the worker's connections: ", err)
    end
    ngx.sleep(pause())
  end
end

-- in_flight is how many requests the record's app has in this worker.
local function in_flight(cold)
  local n = 0
  for i = 0, cold.instances - 1 do
    n = n + T.counts[cold.first[i].slot]
  end
  return n
end

-- refused names who answers in an instance's stead, nil when the request may go
-- on. h is the record of its host.
function M.refused(r, h)
  if not connections.short() then
    return nil
  end
  -- The loop sleeps until then.
  if ngx.now() - looked_at > LATE * connections.all then
    inspect(api.key(r))
  end
  local client = next(heavy) and asking(r)
  if client and heavy[client] then
    note("client", connections.named(client), heavy[client], 1)
    return "a429"
  end
  local held = in_flight(h.cold) * PER_REQUEST
  if held >= share() then
    note("app", ffi.string(h.cold.app_name, h.cold.app_name_len), held, 1)
    return "busy"
  end
end

return M
