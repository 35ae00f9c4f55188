-- The way of a request: host, record, release group by weight, instance in
-- turn. Both functions are global, because a chunk of *_by_lua is never
-- compiled by itself but what it returns into is. No loop may stand on the
-- way: LuaJIT compiles none of a function that calls into one.
local bit = require "bit"
local ffi = require "ffi"
local T = require "aorta.layout"
local api = require "aorta.api"
local index = require "aorta.index"
local retry = require "aorta.retry"
local turns = require "aorta.turns"

local band = bit.band
local C = ffi.C
local far, pick, steer = index.far, turns.pick, turns.steer
local again, refuse, fail = retry.again, retry.refuse, retry.fail
local flying = retry.flying
local get_request, host_of, last_failure = api.get_request, api.host, api.last_failure
local log_part, peer, more_tries, key, status = api.log_part, api.peer, api.more_tries, api.key, api.status

local function holds(e, hash, p, n)
  if e.hash ~= hash then
    return false
  end
  local h = e.host
  return h ~= nil and h.name_len == n and C.memcmp(h.name, p, n) == 0
end

-- find looks at three entries, then leaves the rest to the slow search.
local function find(p, n)
  local hash = C.ngx_murmur_hash2(p, n)
  local i = band(hash, T.mask)
  local e = T.entries[i]
  if holds(e, hash, p, n) then
    return e.host
  end
  e = T.entries[band(i + 1, T.mask)]
  if holds(e, hash, p, n) then
    return e.host
  end
  e = T.entries[band(i + 2, T.mask)]
  if holds(e, hash, p, n) then
    return e.host
  end
  return far(p, n, hash)
end

local function send(r, h, instance)
  log_part(r, instance.text, instance.text_len)
  local slot = instance.slot
  T.counts[slot] = T.counts[slot] + 1
  flying[key(r)] = slot
  peer(r, instance.addr, instance.addr_len, instance.port)
  local total = h.total
  if total > 1 then
    more_tries(r, total > 2 and 2 or 1)
  end
end

function _G.aorta_balance()
  local r = get_request()
  if last_failure(r) ~= 0 then
    return again(r)
  end
  local p, n = host_of(r)
  local h = find(p, n)
  if h == nil or h.total == 0 or h.paused ~= 0 then
    return refuse(r, send)
  end
  local instance = pick(h)
  if T.ejected ~= 0 then
    instance = steer(h, instance)
  end
  return send(r, h, instance)
end

function _G.aorta_landed()
  local r = get_request()
  local k = key(r)
  local slot = flying[k]
  if slot then
    flying[k] = nil
    T.counts[slot] = T.counts[slot] - 1
    local code = status(r)
    if code == 502 or code == 504 then
      return fail(slot)
    end
  end
end
