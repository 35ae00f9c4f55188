-- What a request may take: time until its answer begins, silence, and the size
-- of its body. nginx has one limit for both kinds of waiting, so it is given the
-- longer one, for silence, and the other is kept here: once a second the
-- requests in flight that are still without an answer are looked through, which
-- costs a request that is answered at once nothing.
local ffi = require "ffi"
local api = require "aorta.api"
local hangup = require "aorta.hangup"
local hosts = require "aorta.host"
local index = require "aorta.index"
local retry = require "aorta.retry"

local M = {}

local CONNECT = 500    -- ms, as proxy_connect_timeout
local TOO_LARGE, TIMED_OUT = 413, 504

local waiting = {} -- request key -> who it is, how much of it has come, since when
local limited = {} -- request key -> bytes of head and body that may come in chunks

local function request(key)
  return ffi.cast("ngx_http_request_t *", key)
end

-- finish ends a request that is in flight: its answer, if it can still have
-- one, has the code.
local function finish(key, code)
  retry.overrule(key, code)
  hangup.on(request(key))
end

-- fits says whether the request's body may be as large as it says, and sets the
-- limits of a record that has its own.
function M.fits(r, cold)
  if cold.idle_timeout ~= M.IDLE_TIMEOUT then
    api.timeouts(r, CONNECT, cold.idle_timeout * 1000)
  end
  if cold.max_body == 0 then
    return true
  end
  -- Not $http_content_length, which is also what a Content_Length says.
  local length = tonumber(ngx.var.content_length)
  if length then
    return length <= cold.max_body
  end
  if rawget(ngx.req.get_headers(0), "transfer-encoding") then
    -- What comes is counted with the chunks' own lines, so that these get some
    -- room; the head is not request_length, which has what came with it.
    limited[api.key(r)] = #ngx.req.raw_header() + cold.max_body * (1 + 1 / 64) + 64
  end
  return true
end

-- end_oversized ends the requests whose chunks are more than their app takes.
function M.end_oversized()
  if not next(limited) then
    return
  end
  local over = {}
  for key, most in pairs(limited) do
    if not retry.flying[key] then
      limited[key] = nil
    elseif tonumber(api.var(request(key), "request_length")) > most then
      over[#over + 1] = key
    end
  end
  for _, key in ipairs(over) do
    limited[key] = nil
    finish(key, TOO_LARGE)
  end
end

-- identity distinguishes a request from a later one that has its memory.
local function identity(r)
  return api.var(r, "connection") .. ":" .. api.var(r, "connection_requests")
end

local function timeout_of(r)
  local name = hosts.of_header(api.var(r, "http_host") or "")
  local host = name and index.resolve(name)
  return host and host.cold.timeout or M.TIMEOUT
end

-- wait notes how long a request has been waiting for its answer since the last
-- byte of it came.
local function wait(key, now)
  local r = request(key)
  local id, length = identity(r), api.var(r, "request_length")
  local before = waiting[key]
  if before and before.id == id and before.length == length then
    return before
  end
  return { id = id, length = length, since = now, timeout = timeout_of(r) }
end

-- end_silent ends the requests that have had no answer for as long as their app
-- may take.
function M.end_silent()
  local now, still, over = ngx.now(), {}, {}
  for key in pairs(retry.flying) do
    if api.status(request(key)) == 0 then
      local w = wait(key, now)
      if now - w.since >= w.timeout then
        over[#over + 1] = key
      else
        still[key] = w
      end
    end
  end
  waiting = still
  for _, key in ipairs(over) do
    retry.gave_up(request(key), key)
    finish(key, TIMED_OUT)
  end
end

-- Seconds, of a record that says nothing else.
M.TIMEOUT, M.IDLE_TIMEOUT = 300, 3600

return M
