-- The worker's loop: subscribe, bring the table up to date, then again with
-- each message and at least once a second. A message only wakes; the truth is
-- read.
local cjson = require "cjson.safe"
local redis = require "aorta.redis"
local routes = require "aorta.routes"
local settings = require "aorta.settings"
local sync = require "aorta.sync"

local SESSION = 300 -- seconds; then anew, so that nginx frees what it gathered

local M = {}

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

local function follow(commands, subscription)
  local _, err = subscription:call({ "SUBSCRIBE", "routes:changed" })
  if err then
    return err
  end
  local ending = ngx.now() + SESSION
  while not ngx.worker.exiting() and ngx.now() < ending do
    local ok, sync_err = sync.run(commands)
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

local function session()
  local commands, err = redis.connect()
  if not commands then
    return err
  end
  local subscription, subscription_err = redis.connect()
  if not subscription then
    commands:close()
    return subscription_err
  end
  local ended = follow(commands, subscription)
  commands:close()
  subscription:close()
  return ended
end

local logged

local function run(premature)
  if premature then
    return
  end
  local ok, err = pcall(session)
  local why = (not ok and err) or err
  if why and why ~= logged then
    ngx.log(ngx.ERR, "the routing table's replica does not answer, the table stays as it is: ", why)
  end
  logged = why
  if not ngx.worker.exiting() then
    ngx.timer.at(why and 0.2 + math.random() * 0.3 or 0, run)
  end
end

-- start feeds the worker until it exits; changed is called after every pass.
function M.start(changed)
  M.changed = changed
  ngx.timer.at(0, run)
end

return M
