-- The worker's loop: subscribe, bring the table up to date, then again with
-- each message and at least once a second. A message only wakes; the truth is
-- read. A timer that is to go on with the loop may never run, since it takes a
-- connection that may not be had; so another one looks after it, which nginx
-- sets again before it runs.
local cjson = require "cjson.safe"
local redis = require "aorta.redis"
local routes = require "aorta.routes"
local settings = require "aorta.settings"
local sync = require "aorta.sync"

local SESSION = 300 -- seconds; then anew, so that nginx frees what it gathered
local LOOK = 1      -- seconds between two looks after the loop
local STUCK = 15    -- seconds of a pass after which another loop takes over

local M = {}

local turn = 0      -- of the loop that goes on; an older one ends
local going = false -- whether it does
local rests = 0     -- until then it rests

-- announce notes which pair the named records have at least.
local function announce(text)
  local message = type(text) == "string" and cjson.decode(text)
  if type(message) ~= "table" or message.cluster ~= settings.cluster or type(message.names) ~= "table" then
    return
  end
  local pair = { epoch = tonumber(message.epoch), generation = tonumber(message.generation) }
  if not pair.epoch or not pair.generation or routes.below(pair, sync.state) then
    return
  end
  for _, name in ipairs(message.names) do
    routes.announce(name, pair)
  end
end

-- listen waits for a message, for so many quarters of a second: a worker that
-- is to exit should not wait for it longer than one.
local function listen(subscription, quarters)
  local message, err
  repeat
    message, err = subscription:message(250)
    quarters = quarters - 1
  until err ~= "timeout" or quarters <= 0 or ngx.worker.exiting()
  return message, err
end

local function follow(commands, subscription, mine)
  local _, err = subscription:call({ "SUBSCRIBE", "routes:changed" })
  if err then
    return err
  end
  local ending = ngx.now() + SESSION
  while not ngx.worker.exiting() and ngx.now() < ending and turn == mine do
    local ok, sync_err = sync.run(commands)
    sync.state.looked_at = ngx.now()
    if not ok then
      return sync_err
    end
    M.changed()
    local message, message_err = listen(subscription, 3 + math.random())
    if message then
      announce(message)
    elseif message_err ~= "timeout" then
      return message_err
    end
  end
end

local function session(mine)
  local commands, err = redis.connect()
  if not commands then
    return err
  end
  local subscription, subscription_err = redis.connect()
  if not subscription then
    commands:close()
    return subscription_err
  end
  local ended = follow(commands, subscription, mine)
  commands:close()
  subscription:close()
  return ended
end

local logged

local function say(why)
  if why and why ~= logged then
    ngx.log(ngx.ERR, "the routing table's replica does not answer, the table stays as it is: ", why)
  end
  logged = why
end

local run

-- go_on makes one session and sets the timer for the next.
local function go_on()
  turn = turn + 1
  local mine = turn
  going = true
  sync.state.looked_at = ngx.now()
  local ok, err = pcall(session, mine)
  if turn ~= mine then
    return
  end
  local why = (not ok and err) or err
  say(why)
  going, sync.state.looked_at = false, ngx.now()
  local pause = why and 0.2 + math.random() * 0.3 or 0
  rests = ngx.now() + pause
  if not ngx.worker.exiting() then
    ngx.timer.at(pause, run)
  end
end

function run(premature)
  if not premature and not going then
    go_on()
  end
end

-- supervise goes on where no timer did, and in place of a loop that hangs.
local function supervise(premature)
  if premature then
    return
  end
  local late = ngx.now() - rests > LOOK
  local stuck = ngx.now() - sync.state.looked_at > STUCK
  if not going and late or going and stuck then
    go_on()
  end
end

-- start feeds the worker until it exits; changed is called after every pass.
function M.start(changed)
  M.changed = changed
  rests = ngx.now()
  ngx.timer.at(0, run)
  ngx.timer.every(LOOK, supervise)
end

return M
