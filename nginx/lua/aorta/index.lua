-- The worker's records by name: exact hosts in an open hash table of C
-- entries, wildcards in a Lua table by what follows the star.
local ffi = require "ffi"
local bit = require "bit"
local T = require "aorta.layout"

local band = bit.band
local C = ffi.C

local M = { records = 0 }

local wild = {} -- ".b.c" -> aorta_host of "*.b.c"
local wilds = 0
local entries, size
local used = 0 -- entries that a search does not stop at

local function hash_of(name)
  return C.ngx_murmur_hash2(ffi.cast("unsigned char *", name), #name)
end

local function allocate(wanted)
  size, used = wanted, 0
  entries = ffi.new("aorta_entry[?]", wanted)
end

local function insert(host)
  local i = band(host.hash, size - 1)
  while entries[i].used == 1 do
    i = band(i + 1, size - 1)
  end
  entries[i].hash, entries[i].used, entries[i].host = host.hash, 1, host
  used = used + 1
end

-- rebuild keeps at most half of the entries used; removed ones are dropped.
local function rebuild()
  local old, old_size, live = entries, size, 0
  for i = 0, old_size - 1 do
    if old[i].host ~= nil then
      live = live + 1
    end
  end
  local wanted = 1024
  while wanted < live * 4 do
    wanted = wanted * 2
  end
  allocate(wanted)
  for i = 0, old_size - 1 do
    if old[i].host ~= nil then
      insert(old[i].host)
    end
  end
  T.entries, T.mask = entries, size - 1
end

allocate(1024)
T.entries, T.mask = entries, size - 1

-- far searches the whole row for a host given by address, length and hash.
local function far(p, n, hash)
  local i = band(hash, T.mask)
  while true do
    local e = T.entries[i]
    if e.used == 0 then
      return nil
    end
    local h = e.host
    if e.hash == hash and h ~= nil and h.name_len == n and C.memcmp(h.name, p, n) == 0 then
      return h, i
    end
    i = band(i + 1, T.mask)
  end
end
-- Traced, its loop would keep the caller's trace from being compiled.
jit.off(far)
M.far = far

-- wildcard is the nearest "*.b.c" over the host, or nil.
local function wildcard(name)
  if wilds == 0 then
    return nil
  end
  local dot = string.find(name, ".", 1, true)
  while dot do
    local host = wild[string.sub(name, dot)]
    if host then
      return host
    end
    dot = string.find(name, ".", dot + 1, true)
  end
end
jit.off(wildcard)
M.wildcard = wildcard

-- get finds a record by its own name, "a.b.c" or "*.b.c".
function M.get(name)
  if string.sub(name, 1, 2) == "*." then
    return wild[string.sub(name, 2)]
  end
  return far(ffi.cast("unsigned char *", name), #name, hash_of(name))
end

-- resolve finds what serves a host: its own record or the nearest wildcard.
function M.resolve(name)
  return M.get(name) or wildcard(name)
end

-- put takes the block in and returns the one that it replaces, if any.
function M.put(name, host)
  local old, i = M.get(name)
  if string.sub(name, 1, 2) == "*." then
    wild[string.sub(name, 2)] = host
    wilds = old and wilds or wilds + 1
  elseif old then
    entries[i].host = host
  else
    insert(host)
    if used * 2 > size then
      rebuild()
    end
  end
  M.records = old and M.records or M.records + 1
  return old
end

-- remove takes the record out and returns its block, if there was one.
function M.remove(name)
  local old, i = M.get(name)
  if not old then
    return nil
  end
  if i then
    entries[i].host = nil
  else
    wild[string.sub(name, 2)] = nil
    wilds = wilds - 1
  end
  M.records = M.records - 1
  return old
end

-- names lists every record's name.
function M.names()
  local list = {}
  for i = 0, size - 1 do
    local host = entries[i].host
    if host ~= nil then
      list[#list + 1] = ffi.string(host.name, host.name_len)
    end
  end
  for suffix in pairs(wild) do
    list[#list + 1] = "*" .. suffix
  end
  return list
end

return M
