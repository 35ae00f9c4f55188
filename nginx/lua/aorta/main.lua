-- Where nginx calls in: settings and the kept table in the master, the feed and
-- the beats in each worker.
local settings = require "aorta.settings"

local M = {}

local TICK = 0.1  -- seconds; leaving instances, ejections, and a part of the sockets
local BEATS = 10  -- ticks between two beats; a new table is reported at once

function M.init(path)
  settings.read(path)
  settings.networks = require("aorta.network").parse(settings.networks)
  settings.trusted = require("aorta.network").parse(settings.trusted)
  require("aorta.keep").restore()
  -- Loaded before the workers are forked, which then share the code.
  require("aorta.answers")
  require("aorta.balance")
  require("aorta.feed")
  require("aorta.look")
  require("aorta.status")
  collectgarbage()
end

local ticks = 0

-- end_overdue ends the requests that take more than they may.
local function end_overdue()
  local limits = require("aorta.limits")
  limits.end_oversized()
  ticks = ticks + 1
  if ticks % BEATS == 0 then
    limits.end_silent()
  end
end

-- leave keeps reporting what is in flight until nothing is; nginx ends the
-- worker's timers, so this one waits in a loop of its own.
local function leave()
  local status, flights = require("aorta.status"), require("aorta.flights")
  status.beat()
  while flights.export_all() > 0 do
    require("aorta.machines").tick()
    end_overdue()
    ngx.sleep(TICK)
  end
end

local function tick(premature)
  if premature then
    return leave()
  end
  require("aorta.flights").tick()
  require("aorta.eject").refresh()
  require("aorta.machines").tick()
  end_overdue()
  if ticks % BEATS == 0 then
    require("aorta.status").beat()
  end
end

-- announce reports a new table at once, not with the next beat: a publish
-- waits for it.
local function announce()
  local status, state = require("aorta.status"), require("aorta.sync").state
  local reported
  return function()
    if reported ~= state.loaded_at then
      reported = state.loaded_at
      status.beat()
    end
  end
end

function M.init_worker()
  math.randomseed(ngx.worker.pid() + ngx.now() * 1000)
  local pid = ngx.worker.pid()
  require("aorta.connections").start(settings.connections)
  require("aorta.routes").start(settings.networks)
  require("aorta.flights").start(pid)
  require("aorta.status").start(pid)
  require("aorta.sync").restore()
  require("aorta.status").beat()
  require("aorta.feed").start(announce())
  ngx.timer.at(0, require("aorta.crowd").watch)
  ngx.timer.every(TICK, tick)
end

return M
