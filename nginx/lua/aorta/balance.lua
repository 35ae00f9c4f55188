-- The way of a request: host, record, release group by weight, instance in
-- turn. Both functions are global, because a chunk of *_by_lua is never
-- compiled by itself but what it returns into is. No loop may stand on the
-- way: LuaJIT compiles none of a function that calls into one.
local bit = require "bit"
local ffi = require "ffi"
local T = require "aorta.layout"
local api = require "aorta.api"
require "aorta.connections"
local index = require "aorta.index"
local retry = require "aorta.retry"
local turns = require "aorta.turns"

local band = bit.band
local C = ffi.C
local far, pick, steer = index.far, turns.pick, turns.steer
local again, refuse, fail = retry.again, retry.refuse, retry.fail
local flying, landed, MARK = retry.flying, retry.landed, retry.MARK
local unframed = require("aorta.unframed").check_head
local allow_duplex = require("aorta.duplex").allow
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

local COLON = 58

-- no_digit is for the i-th byte of a port of n bytes.
local function no_digit(port, n, i)
  return i < n and (port[i] < 48 or port[i] > 57)
end

-- before_port is the length of what stands before the colon at offset at: 0, no
-- name, when what follows is no port. Unrolled, as all on the way.
local function before_port(p, n, at)
  local port, digits = p + at + 1, n - at - 1
  if digits > 5 or no_digit(port, digits, 0) or no_digit(port, digits, 1) or no_digit(port, digits, 2)
    or no_digit(port, digits, 3) or no_digit(port, digits, 4) then
    return 0
  end
  return at
end

-- name_of is the length of the host name before a port; the port goes to the
-- app, so it has to be one.
local function name_of(p, n)
  local colon = C.memchr(p, COLON, n)
  if colon == nil then
    return n
  end
  return before_port(p, n, ffi.cast("unsigned char *", colon) - p)
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
  if T.duplex == 0 then
    allow_duplex(r)
  end
  local p, n = host_of(r)
  local h = p ~= nil and find(p, name_of(p, n)) or nil
  if h == nil or h.total == 0 or h.special ~= 0 or T.free[0] < T.scarce then
    return refuse(r, send)
  end
  local instance = pick(h)
  if T.ejected ~= 0 then
    instance = steer(h, instance)
  end
  return send(r, h, instance)
end

-- aorta_heading looks at each answer's head before it is sent.
function _G.aorta_heading()
  local r = get_request()
  if status(r) < 200 then
    return unframed(r)
  end
end

function _G.aorta_landed()
  local r = get_request()
  local k = key(r)
  local slot = flying[k]
  if slot then
    if slot >= MARK then
      return landed(k)
    end
    flying[k] = nil
    T.counts[slot] = T.counts[slot] - 1
    local code = status(r)
    if code == 502 or code == 504 then
      return fail(slot)
    end
  end
end
