-- The table's raw records in a shared dict, so that a respawned worker and the
-- next configuration have them at once. Worker 0 writes, after it applied; on a
-- start of nginx the master fills it from the file that the Go part keeps.
local cjson = require "cjson.safe"
local settings = require "aorta.settings"

local dict = ngx.shared.aorta_routes
local META = "meta" -- JSON: cluster, epoch, generation, seq

local M = {}

local full = false

-- put keeps a record's text, or drops the name for nil.
function M.put(name, text)
  if full then
    return
  end
  if not text then
    dict:delete("r:" .. name)
    return
  end
  local ok, err = dict:safe_set("r:" .. name, text)
  if not ok then
    -- A part of the table must not look like all of it.
    full = true
    dict:delete(META)
    ngx.log(ngx.ERR, "no room to keep the routing table (raise the routes memory): ", err)
  end
end

-- commit says that the dict holds everything up to this state.
function M.commit(state)
  if not full then
    dict:set(META, cjson.encode({
      cluster = state.cluster, epoch = state.epoch, generation = state.generation,
      seq = state.seq, began = state.began,
    }))
  end
end

function M.meta()
  return cjson.decode(dict:get(META) or "")
end

-- each calls apply(name, text) for every record that is kept.
function M.each(apply)
  for _, key in ipairs(dict:get_keys(0)) do
    local name = key:match("^r:(.+)$")
    local text = name and dict:get(key)
    if text then
      apply(name, text)
    end
  end
end

local function fill(file)
  local head = cjson.decode(file:read("*l") or "")
  if type(head) ~= "table" or head.cluster ~= settings.cluster or not head.epoch or not head.generation then
    return nil, "its first line does not name this cluster and a generation"
  end
  for line in file:lines() do
    local record = cjson.decode(line)
    if type(record) == "table" and type(record.host) == "string" then
      M.put(record.host, line)
    end
  end
  -- Sequence 0: what the replica has comes as a whole load.
  M.commit({ cluster = head.cluster, epoch = head.epoch, generation = head.generation, seq = 0, began = "" })
  return true
end

-- restore is run by the master before it has workers.
function M.restore()
  local meta = M.meta()
  if meta and meta.cluster == settings.cluster then
    return
  end
  dict:flush_all()
  local file = io.open(settings.table_file, "r")
  if not file then
    return
  end
  local ok, err = fill(file)
  file:close()
  if not ok then
    ngx.log(ngx.ERR, "the kept routing table ", settings.table_file, " is not used: ", err)
  end
end

return M
