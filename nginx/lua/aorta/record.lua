-- One record's JSON, parsed strictly: the same rules as router.ParseRecord and
-- Record.Validate in Go, held together by tests. Unknown fields are ignored,
-- absent or null ones are zero.
local cjson = require("cjson.safe").new()
local hosts = require "aorta.host"
local network = require "aorta.network"

cjson.decode_invalid_numbers(false) -- it would take 0x10, 010, +1 and nan, which are no JSON

local null = cjson.null
local match, find = string.match, string.find

local MAX_BYTES, MAX_GROUPS, MAX_INSTANCES, MAX_WEIGHT = 2 ^ 20, 64, 2000, 10000
local MAX_SECONDS, MAX_BODY = 86400, 2 ^ 50
local MAX_NUMBER = 99999999999999
local HEX = "[0-9a-f]"
local UUID = "^" .. HEX:rep(8) .. "%-" .. (HEX:rep(4) .. "%-"):rep(3) .. HEX:rep(12) .. "$"

local M = {}

local function field(t, name, kind, zero)
  local value = t[name]
  if value == nil or value == null then
    return zero
  end
  if type(value) ~= kind then
    error(name .. " is a " .. type(value), 0)
  end
  return value
end

local function whole(t, name, max)
  local n = field(t, name, "number", 0)
  if n < 0 or n > max or n % 1 ~= 0 then
    error(name .. " is not a whole number up to " .. max, 0)
  end
  return n
end

local function uuid(t, name)
  local s = field(t, name, "string", "")
  if not match(s, UUID) then
    error(name .. " is not a lower-case UUID", 0)
  end
  return s
end

local function label(t, name)
  local s = field(t, name, "string", "")
  if #s > 40 or not match(s, "^%l[%l%d-]*$") or find(s, "--", 1, true) or match(s, "%-$") then
    error(name .. " is not a name", 0)
  end
  return s
end

-- node_name allows what a host may be called, which is more than other names.
local function node_name(t)
  local s = field(t, "node_name", "string", "")
  if #s > 63 or not match(s, "^[%l%d][%l%d-]*$") or match(s, "%-$") then
    error("node_name is not a node's name", 0)
  end
end

-- list refuses objects, which cjson also gives as tables.
local function list(t, name, max)
  local value = field(t, name, "table", {})
  if next(value) ~= nil and value[1] == nil then
    error(name .. " is not a list", 0)
  end
  if #value > max then
    error(name .. " has more than " .. max .. " entries", 0)
  end
  return value
end

local function object(value, name)
  if type(value) ~= "table" or value[1] ~= nil then
    error(name .. " is not an object", 0)
  end
  return value
end

local function read_instance(t, networks, seen)
  local addr = field(t, "addr", "string", "")
  local shown, raw, port = network.split(addr)
  if not shown then
    error("addr is not an ip:port", 0)
  end
  if networks and not network.contains(networks, raw) then
    error("addr " .. addr .. " is in none of the allowed networks", 0)
  end
  local id = uuid(t, "id")
  if seen[id] then
    error("instance " .. id .. " is listed twice", 0)
  end
  seen[id] = true
  node_name(t)
  return { id = id, type = label(t, "type"), node = uuid(t, "node"), addr = shown, port = port }
end

local function read_group(t, networks, seen)
  if not match(field(t, "release_name", "string", ""), "^v%d%d?%d?%d?%d?%d?%d?%d?%d?$") then
    error("release_name is not of the form v12", 0)
  end
  local group = { release = uuid(t, "release"), weight = whole(t, "weight", MAX_WEIGHT), instances = {} }
  for i, value in ipairs(list(t, "instances", MAX_INSTANCES)) do
    group.instances[i] = read_instance(object(value, "instance"), networks, seen)
  end
  return group
end

local function read(t, networks)
  local record = {
    host = field(t, "host", "string", ""),
    epoch = whole(t, "epoch", MAX_NUMBER),
    generation = whole(t, "generation", MAX_NUMBER),
    gone = field(t, "gone", "boolean", false),
  }
  if not hosts.is_name(record.host) then
    error("host is neither a host name nor a wildcard", 0)
  end
  if record.gone then
    return record
  end
  record.app = uuid(t, "app")
  record.app_name = label(t, "app_name")
  record.maintenance = field(t, "maintenance", "boolean", false)
  record.timeout = whole(t, "timeout", MAX_SECONDS)
  record.idle_timeout = whole(t, "idle_timeout", MAX_SECONDS)
  record.max_body = whole(t, "max_body", MAX_BODY)
  record.groups = {}
  local seen, total = {}, 0
  for i, value in ipairs(list(t, "groups", MAX_GROUPS)) do
    record.groups[i] = read_group(object(value, "group"), networks, seen)
    total = total + #record.groups[i].instances
  end
  if total > MAX_INSTANCES then
    error("more than " .. MAX_INSTANCES .. " instances", 0)
  end
  return record
end

-- parse(text, networks) is the record or nil and why it is broken. networks
-- nil allows every address.
function M.parse(text, networks)
  if #text > MAX_BYTES then
    return nil, "more than " .. MAX_BYTES .. " bytes"
  end
  local t, err = cjson.decode(text)
  if type(t) ~= "table" then
    return nil, err or "not an object"
  end
  local ok, record = pcall(read, t, networks)
  if not ok then
    return nil, record
  end
  return record
end

return M
