-- What the router answers by itself: what is the matter with which app, why, and
-- what to do about it.
local cjson = require "cjson.safe"
local ffi = require "ffi"
local retry = require "aorta.retry"

local M = {}

local HEAD = 32768 -- bytes of an answer's head, as proxy_buffer_size

local function write(code, text, retry_after)
  local body = cjson.encode({ error = text }):gsub("\\/", "/") .. "\n"
  ngx.req.discard_body()
  ngx.status = code
  ngx.header["Content-Type"] = "application/json"
  ngx.header["Content-Length"] = #body
  ngx.header["Retry-After"] = retry_after
  ngx.print(body)
end

local function name_of(host)
  return ffi.string(host.cold.app_name, host.cold.app_name_len)
end

-- duration is a number of seconds as the command line takes it.
local function duration(seconds)
  for _, unit in ipairs({ { 3600, "h" }, { 60, "m" } }) do
    if seconds % unit[1] == 0 then
      return seconds / unit[1] .. unit[2]
    end
  end
  return seconds .. "s"
end

-- why_bad is what went wrong with the last instance that was asked.
local function why_bad()
  local received, sent = retry.last(ngx.var.upstream_bytes_received), retry.last(ngx.var.upstream_bytes_sent)
  if sent == "0" then
    return "no instance accepts connections"
  end
  if received == "0" then
    return "its instance closed the connection before it answered"
  end
  if (tonumber(received) or 0) >= HEAD then
    return "the headers of its answer are more than 32 kB"
  end
  return "its instance's answer is not valid HTTP"
end

local function unavailable(name, host)
  if host.cold.paused ~= 0 then
    return 'app "' .. name .. '" is stopped (start it: aorta ps restart -a ' .. name .. ")", 60
  end
  return 'app "' .. name .. '" has no running instance (see: aorta ps -a ' .. name .. ")", 5
end

-- Of a host that is known.
local for_app = {
  [413] = function(name, host)
    return ('app "%s" takes request bodies of at most %.0f bytes (more: aorta route set -a %s --max-body SIZE)'):format(
      name, host.cold.max_body, name)
  end,
  [502] = function(name)
    return ('app "%s" gave no valid answer: %s (see: aorta logs -a %s)'):format(name, why_bad(), name)
  end,
  [503] = unavailable,
  [504] = function(name, host)
    return ('app "%s" did not begin to answer within %s (longer: aorta route set -a %s --timeout TIME)'):format(
      name, duration(host.cold.timeout), name)
  end,
}

-- Of any request.
local for_all = {
  [400] = "the request is not valid HTTP/1.1: check its first line, its headers and its chunks",
  [405] = "TRACE and CONNECT are not passed on to apps: use another method",
  [413] = "the request's body is too large for the app",
  [414] = "the request's address is longer than 32 kB: send what is in it as a body",
  [431] = "a header of the request is longer than 32 kB, all together than 128 kB, or there are more than 1,000 headers: send fewer or smaller cookies",
  [500] = "the router could not pass the request on: its log (nginx.log in the router's data directory) says why",
  [501] = "of transfer encodings the router knows chunked alone: send the body so, or with its length",
  [502] = "the app gave no valid answer",
  [503] = "the app has no running instance",
  [504] = "the app did not answer in time",
  [505] = "the router speaks HTTP/1.0 and HTTP/1.1 alone",
}

-- own answers with the code for the host that was asked for.
local function own(code)
  local host = retry.asked()
  if host and (ngx.var.aorta_route or "") == "" then
    ngx.var.aorta_route = ffi.string(host.cold.text, host.cold.text_len)
  end
  local by_app = host and for_app[code]
  if by_app then
    return write(code, by_app(name_of(host), host))
  end
  write(code, for_all[code] or "the request failed in the router")
end

-- failed answers in nginx's stead, where it has set the status already.
function M.failed()
  own(retry.overruled() or ngx.status)
end

function M.unavailable()
  own(503)
end

-- busy is for an app that has as many requests in flight as there is room for.
function M.busy()
  local host = retry.asked()
  local name = host and name_of(host) or ""
  write(503, ('app "%s" has as many requests in flight as the router has room for: try again in a moment (slow requests: aorta stats -a %s)'):format(
    name, name), 1)
end

function M.too_many()
  write(429, "this client has as many connections as the router has room for: close some, or try again in a moment", 1)
end

function M.timed_out()
  own(504)
end

function M.too_large()
  own(413)
end

return M
