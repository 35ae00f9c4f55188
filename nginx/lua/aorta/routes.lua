-- The table as the feed changes it: one record at a time, each only forward.
local compile = require "aorta.compile"
local index = require "aorta.index"
local record = require "aorta.record"

local M = { broken = 0 }

local broken = {}    -- name -> true while its newest text cannot be read
local announced = {} -- name -> pair that a message announced for it, and since when
local PATIENCE = 2   -- seconds for an announced record to come

function M.start(networks)
  M.networks = networks
end

-- below says whether pair a is lower than pair b; both have epoch, generation.
local function below(a, b)
  if a.epoch ~= b.epoch then
    return a.epoch < b.epoch
  end
  return a.generation < b.generation
end
M.below = below

-- announce remembers the lowest pair that the name's next record may have: an
-- answer can cross the message. What a tick has read already is not awaited.
function M.announce(name, pair)
  local held, awaited = index.get(name), announced[name]
  if held and not below(held.cold, pair) then
    return
  end
  if not awaited or below(awaited, pair) then
    announced[name] = { epoch = pair.epoch, generation = pair.generation, since = ngx.now() }
  end
end

-- awaits says whether a newer record than this one was announced and may
-- still come. One that does not come must not hold up all the others.
local function awaits(name, parsed)
  local pair = announced[name]
  return pair and below(parsed, pair) and ngx.now() - pair.since < PATIENCE
end

local function mark(name, why)
  if not broken[name] then
    broken[name] = true
    M.broken = M.broken + 1
    ngx.log(ngx.ERR, "route record of ", name, " is broken, the previous one stays: ", why)
  end
end

local function clear(name)
  announced[name] = nil
  if broken[name] then
    broken[name] = nil
    M.broken = M.broken - 1
  end
end

local function release(old)
  if old then
    compile.release(old)
  end
end

local function remove(name)
  release(index.remove(name))
  clear(name)
end
M.remove = remove

-- apply takes a record's text. It returns "behind" when a newer one was
-- announced (read again later), else "broken", "gone" or "applied".
function M.apply(name, text)
  local parsed, why = record.parse(text, M.networks)
  if parsed and parsed.host ~= name then
    parsed, why = nil, "it is the record of " .. parsed.host
  end
  if not parsed then
    mark(name, why)
    return "broken"
  end
  if awaits(name, parsed) then
    return "behind"
  end
  local held = index.get(name)
  if held and below(parsed, held.cold) then
    mark(name, "its epoch and generation went back")
    return "broken"
  end
  if parsed.gone then
    remove(name)
    return "gone"
  end
  local block = compile.block(parsed)
  if held then
    block.point = held.point
  end
  release(index.put(name, block))
  clear(name)
  return "applied"
end

-- missing is a name that is listed without a text.
function M.missing(name)
  mark(name, "its text is missing")
end

-- forget_announced is for a whole load, whose records are all newer.
function M.forget_announced()
  announced = {}
end

return M
