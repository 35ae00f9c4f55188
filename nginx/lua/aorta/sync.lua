-- Brings the worker's table up to what the replica holds, under the rules that
-- keep a wrong replica from doing harm: a table of another cluster, one whose
-- epoch and generation went back, and one that vanished are refused, and what
-- was there goes on serving. Only a tombstone removes a record, or a whole load
-- of one verified pair that does not list it.
local index = require "aorta.index"
local keep = require "aorta.keep"
local retry = require "aorta.retry"
local routes = require "aorta.routes"
local settings = require "aorta.settings"

local BATCH = 100        -- records per event, each costs some 20 us
local CUT_OFF = 20 * 3600 -- seconds; tombstones are kept for a day

local M = {}

-- What this worker accepted last, and when the feed last looked for more,
-- whatever came of it.
local state = {
  cluster = nil, epoch = 0, generation = 0, seq = 0, began = "", synced_at = 0, loaded_at = 0, looked_at = 0,
}
M.state = state

local refused -- why, as it was logged last

local function refuse(why)
  if refused ~= why then
    refused = why
    ngx.log(ngx.ERR, "the replica's routing table is not taken, the last one goes on: ", why)
  end
end

-- verify turns the fields of routes:meta into a table, or nil and why not.
local function verify(fields)
  local meta = {
    cluster = fields[1], epoch = tonumber(fields[2]), generation = tonumber(fields[3]), seq = tonumber(fields[4]),
    began = type(fields[5]) == "string" and fields[5] or "",
  }
  if not meta.epoch or not meta.generation or not meta.seq then
    return nil, "it has no epoch and generation"
  end
  if meta.cluster ~= settings.cluster then
    return nil, "it is another cluster's"
  end
  if state.cluster and routes.below(meta, state) then
    return nil, "its epoch and generation went back"
  end
  return meta
end

-- whole says whether changes since the last sequence are not enough.
local function whole(meta)
  return state.seq == 0 or meta.epoch > state.epoch or meta.seq < state.seq or meta.began ~= state.began
    or ngx.now() - state.synced_at > CUT_OFF
end

local META = { "HMGET", "routes:meta", "cluster", "epoch", "generation", "seq", "began" }

-- snapshot reads meta and the changed names in one transaction.
local function snapshot(connection, all)
  local range = { "ZRANGEBYSCORE", "routes:changes", all and "-inf" or "(" .. string.format("%d", state.seq), "+inf" }
  local reply, err = connection:call({ "MULTI" }, META, range, { "EXEC" })
  if type(reply) ~= "table" then
    return nil, nil, err or "transaction refused"
  end
  return reply[1], reply[2]
end

local function apply(name, text, keeping)
  if text == ngx.null then
    routes.missing(name)
    return true
  end
  local outcome = routes.apply(name, text)
  if keeping and outcome ~= "broken" and outcome ~= "behind" then
    keep.put(name, outcome == "applied" and text or nil)
  end
  return outcome ~= "behind"
end

-- load reads the named records; complete is false when one was behind its
-- announcement.
local function load(connection, names)
  local complete = true
  local keeping = ngx.worker.id() == 0
  for from = 1, #names, BATCH do
    state.looked_at = ngx.now()
    local command = { "MGET" }
    for i = from, math.min(from + BATCH - 1, #names) do
      command[#command + 1] = "routes:r:" .. names[i]
    end
    local texts, err = connection:call(command)
    if not texts then
      return nil, err
    end
    for i = 1, #command - 1 do
      complete = apply(names[from + i - 1], texts[i], keeping) and complete
    end
  end
  return complete
end

-- drop_unlisted removes what a whole load did not list.
local function drop_unlisted(names)
  local listed, keeping = {}, ngx.worker.id() == 0
  for _, name in ipairs(names) do
    listed[name] = true
  end
  for _, name in ipairs(index.names()) do
    if not listed[name] then
      routes.remove(name)
      if keeping then
        keep.put(name, nil)
      end
    end
  end
end

local function accept(meta)
  state.cluster, state.epoch, state.generation = meta.cluster, meta.epoch, meta.generation
  state.seq, state.began = meta.seq, meta.began
  state.loaded_at = ngx.now()
  retry.loaded = true
  if ngx.worker.id() == 0 then
    keep.commit(state)
  end
end

local function apply_changes(connection, all)
  local fields, names, err = snapshot(connection, all)
  if not fields then
    return nil, err
  end
  local meta, why = verify(fields)
  if not meta then
    refuse(why)
    return true
  end
  if all then
    routes.forget_announced()
  end
  local complete, load_err = load(connection, names)
  if complete == nil then
    return nil, load_err
  end
  -- Behind: not accepted, so the next tick reads the same names again.
  if complete then
    if all then
      drop_unlisted(names)
    end
    accept(meta)
    state.synced_at = ngx.now()
  end
  return true
end

-- run makes one pass; nil and an error when the connection is of no use.
-- state.loaded_at changes with every table that was accepted.
function M.run(connection)
  local fields, err = connection:call(META)
  if not fields then
    return nil, err
  end
  local meta, why = verify(fields)
  if not meta then
    refuse(why)
    return true
  end
  refused = nil
  if state.cluster and meta.seq == state.seq and meta.began == state.began and not routes.below(state, meta) then
    state.synced_at = ngx.now()
    return true
  end
  return apply_changes(connection, whole(meta))
end

-- restore takes over what is kept, before the worker's first request.
function M.restore()
  local meta = keep.meta()
  if not meta or meta.cluster ~= settings.cluster then
    return
  end
  keep.each(function(name, text)
    routes.apply(name, text)
  end)
  state.cluster, state.epoch, state.generation = meta.cluster, meta.epoch, meta.generation
  state.seq, state.began = meta.seq, meta.began
  state.loaded_at, state.synced_at = ngx.now(), ngx.now()
  retry.loaded = true
end

return M
