-- What the Go part asks: which table each worker has, and which instances that
-- left it still have requests in flight. Every worker writes its own entry; one
-- is live as long as its process is.
local cjson = require "cjson.safe"
local connections = require "aorta.connections"
local crowd = require "aorta.crowd"
local index = require "aorta.index"
local machines = require "aorta.machines"
local retry = require "aorta.retry"
local routes = require "aorta.routes"
local settings = require "aorta.settings"
local sync = require "aorta.sync"

local workers = ngx.shared.aorta_workers
local flights = ngx.shared.aorta_flights

local M = {}

local STUCK = 8 -- seconds without a look at the table

-- started is the process's start time in ticks, nil when there is no such
-- process: a process id alone comes again.
local function started(pid)
  local file = io.open("/proc/" .. pid .. "/stat", "r")
  if not file then
    return nil
  end
  local text = file:read("*a")
  file:close()
  local fields = {}
  for field in (text or ""):gsub("^.*%) ", ""):gmatch("%S+") do
    fields[#fields + 1] = field
  end
  if fields[1] == "Z" or fields[1] == "X" then
    return nil
  end
  return fields[20]
end

function M.start(pid)
  M.pid, M.started = pid, started(pid)
end

-- beat writes this worker's entry.
function M.beat()
  local state = sync.state
  local exiting = ngx.worker.exiting()
  local limits = crowd.limits()
  workers:set("w:" .. M.pid, cjson.encode({
    pid = M.pid, started = M.started, exiting = exiting or nil, loaded = retry.loaded or nil,
    epoch = state.epoch, generation = state.generation, synced_at = state.synced_at,
    looked_at = state.looked_at, loaded_at = state.loaded_at, records = index.records, broken = routes.broken,
    digest = settings.digest,
    connections = connections.all, free = connections.all > 0 and connections.free() or nil,
    limits = #limits > 0 and limits or nil,
  }))
end

-- live lists the entries of the workers whose process is there; the others'
-- entries and counts go.
local function live()
  local list, pids = {}, {}
  for _, key in ipairs(workers:get_keys(0)) do
    local worker = cjson.decode(workers:get(key) or "")
    if worker and started(worker.pid) == worker.started then
      list[#list + 1] = worker
      pids[tostring(worker.pid)] = true
    else
      workers:delete(key)
    end
  end
  return list, pids
end

local function in_flight(pids)
  local sum = {}
  for _, key in ipairs(flights:get_keys(0)) do
    local pid, id = key:match("^(%d+):(.+)$")
    if pids[pid] then
      sum[id] = (sum[id] or 0) + (flights:get(key) or 0)
    else
      flights:delete(key)
    end
  end
  return sum
end

-- lowest is the table that all workers which take new requests have at least;
-- epoch and generation are 0 while one has none, or has yet to be born: it would
-- begin with an older table than the others have.
local function lowest(list)
  local low
  local unborn = ngx.worker.count()
  for _, worker in ipairs(list) do
    if not worker.exiting then
      unborn = unborn - 1
      local pair = worker.loaded and worker or { epoch = 0, generation = 0, synced_at = 0 }
      if not low or routes.below(pair, low) then
        low = pair
      end
    end
  end
  if not low or unborn > 0 then
    return { epoch = 0, generation = 0, synced_at = 0 }
  end
  return low
end

local function oldest(list)
  local at
  for _, worker in ipairs(list) do
    if not worker.exiting then
      at = math.min(at or worker.synced_at, worker.synced_at)
    end
  end
  return at or 0
end

local function say(code, body)
  ngx.status = code
  ngx.header["Content-Type"] = "application/json"
  ngx.say(cjson.encode(body))
end

-- stuck are the process ids of workers that no longer look for changes.
local function stuck(list)
  local pids = {}
  for _, worker in ipairs(list) do
    -- One of an older version does not say.
    if not worker.exiting and worker.looked_at and ngx.now() - worker.looked_at > STUCK then
      pids[#pids + 1] = worker.pid
    end
  end
  return #pids > 0 and pids or nil
end

-- healthz is 200 once every worker has a table, however old: an old table
-- serves, and age_seconds and stuck are for an alarm.
function M.healthz()
  M.beat()
  local list = live()
  local low, at = lowest(list), oldest(list)
  local serving = 0
  for _, worker in ipairs(list) do
    serving = serving + (worker.exiting and 0 or 1)
  end
  say(low.epoch > 0 and 200 or 503, {
    cluster = settings.cluster, epoch = low.epoch, generation = low.generation, workers = serving,
    stuck = stuck(list),
    age_seconds = at > 0 and math.max(0, ngx.now() - at) or cjson.null,
  })
end

function M.status()
  M.beat()
  local list, pids = live()
  local low = lowest(list)
  local counts, lost = in_flight(pids), machines.lost()
  say(200, {
    cluster = settings.cluster, epoch = low.epoch, generation = low.generation, digest = settings.digest,
    lost = #lost > 0 and lost or nil,
    workers = #list > 0 and list or cjson.null, inflight = next(counts) and counts or cjson.null,
  })
end

return M
