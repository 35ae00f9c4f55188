-- Turns a parsed record into its block: host, cold part, groups, instances,
-- then the texts. Everything that a request would have to build is built here.
local ffi = require "ffi"
local strings = require "string.buffer"
local arena = require "aorta.arena"
local flights = require "aorta.flights"
local limits = require "aorta.limits"
local places = require "aorta.places"
require "aorta.layout"

local HOST, COLD, GROUP = ffi.sizeof("aorta_host"), ffi.sizeof("aorta_cold"), ffi.sizeof("aorta_group")
local INSTANCE = ffi.sizeof("aorta_instance")
local POINTS = 65536

local M = {}

local texts = strings.new()

-- write_texts fills the buffer with the name, the log part for answers without
-- an instance, and the log part of every instance; it lists where each ends.
-- Ids and names were checked, so nothing needs escaping. A buffer, because
-- LuaJIT's string hash is slow on many long strings that are alike.
local function write_texts(record)
  texts:reset()
  texts:put(record.host)
  local ends = { #texts }
  texts:put(',"host":"', record.host, '","app":"', record.app, '"')
  ends[2] = #texts
  for _, group in ipairs(record.groups) do
    for _, instance in ipairs(group.instances) do
      texts:put(',"host":"', record.host, '","app":"', record.app, '","release":"', group.release,
        '","type":"', instance.type, '","instance":"', instance.id, '","node":"', instance.node, '"')
      ends[#ends + 1] = #texts
    end
  end
  texts:put(record.app_name)
  return ends
end

-- put_limits writes what a record says of its requests. No wait is longer than
-- the silence that is allowed.
local function put_limits(host, cold, record)
  local timeout, idle = record.timeout, record.idle_timeout
  cold.idle_timeout = idle > 0 and idle or math.max(limits.IDLE_TIMEOUT, timeout)
  cold.timeout = math.min(timeout > 0 and timeout or limits.TIMEOUT, cold.idle_timeout)
  cold.max_body = record.max_body
  cold.paused = record.maintenance and 1 or 0
  cold.releases = #record.groups
  local own = cold.idle_timeout ~= limits.IDLE_TIMEOUT or cold.max_body > 0
  host.special = (own or record.maintenance) and 1 or 0
end

-- serving are the groups that get requests.
local function serving(record)
  local groups, weight = {}, 0
  for _, group in ipairs(record.groups) do
    if group.weight > 0 and #group.instances > 0 then
      groups[#groups + 1] = group
      weight = weight + group.weight
    end
  end
  return groups, weight
end

local function align(bytes)
  return math.ceil(bytes / 64) * 64
end

local function put_instance(c, instance)
  c.slot = flights.enter(instance.id)
  places.put(c.slot, instance.addr, instance.port)
  c.port, c.addr_len = instance.port, #instance.addr
  ffi.copy(c.addr, instance.addr, #instance.addr)
end

local function put_instances(first, record, at, ends)
  local n = 0
  for _, group in ipairs(record.groups) do
    group.at = n
    for _, instance in ipairs(group.instances) do
      put_instance(first[n], instance)
      first[n].text, first[n].text_len = at + ends[n + 2], ends[n + 3] - ends[n + 2]
      n = n + 1
    end
  end
  return n
end

local function put_group(c, group, first, bound)
  c.first, c.size = first + group.at, #group.instances
  -- A random start, else the workers' turns go in step.
  c.next = math.random(0, #group.instances - 1)
  c.bound = bound
end

local function put_groups(host, first, groups, weight)
  host.groups = #groups
  local sum, total = 0, 0
  for i, group in ipairs(groups) do
    sum, total = sum + group.weight, total + #group.instances
    put_group(host.group[i - 1], group, first, math.floor(sum / weight * POINTS + 0.5))
  end
  for i = #groups, 2 do
    if #groups > 0 then
      host.group[i] = host.group[#groups - 1]
    end
  end
  host.total = total
  if #groups == 1 then
    host.only = host.group[0]
  end
end

-- block(record) is the new aorta_host.
function M.block(record)
  local ends = write_texts(record)
  local groups, weight = serving(record)
  local instances_at = align(HOST + COLD + GROUP * math.max(3, #groups))
  local texts_at = instances_at + INSTANCE * (#ends - 2)
  local block, size = arena.allocate(texts_at + #texts)
  local base = ffi.cast("char *", block)
  ffi.fill(base, texts_at)
  local at = base + texts_at
  ffi.copy(at, texts:ref(), #texts)

  local host = ffi.cast("aorta_host *", base)
  local cold = ffi.cast("aorta_cold *", base + HOST)
  host.cold = cold
  host.group = ffi.cast("aorta_group *", base + HOST + COLD)
  host.name, host.name_len = at, #record.host
  host.hash = ffi.C.ngx_murmur_hash2(ffi.cast("unsigned char *", host.name), #record.host)
  host.point = math.random(0, POINTS - 1)

  cold.text, cold.text_len = at + ends[1], ends[2] - ends[1]
  cold.app_name, cold.app_name_len = at + ends[#ends], #record.app_name
  cold.block, cold.epoch, cold.generation = size, record.epoch, record.generation
  cold.first = ffi.cast("aorta_instance *", base + instances_at)
  cold.instances = put_instances(cold.first, record, at, ends)
  put_limits(host, cold, record)
  put_groups(host, cold.first, groups, weight)
  return host
end

-- release gives a block back; the record's instances lose one hold each.
function M.release(host)
  local cold = host.cold
  for i = 0, cold.instances - 1 do
    flights.leave(cold.first[i].slot)
  end
  arena.free(host, cold.block)
end

return M
