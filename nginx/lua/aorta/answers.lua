-- What the router answers by itself: what is the matter with which app, why, and
-- what to do about it.
local cjson = require "cjson.safe"
local ffi = require "ffi"
local page = require "aorta.page"
local retry = require "aorta.retry"

local M = {}

local HEAD = 32768 -- bytes of an answer's head, as proxy_buffer_size

-- head_for is what nginx leaves out once it has taken an answer of an app for one
-- of HTTP/0.9, whatever the client speaks.
local function head_for(code, kind, length)
  return ("HTTP/1.1 %d Bad Gateway\r\nContent-Type: %s\r\nContent-Length: %d\r\nVary: Accept\r\n\r\n"):format(code, kind, length)
end

-- write answers with a text for programs, or for people as a page with a title.
local function write(code, title, text, retry_after)
  local body, kind
  if page.wanted(ngx.var.http_accept) then
    body, kind = page.render(code, title, text), "text/html; charset=utf-8"
  else
    body, kind = cjson.encode({ error = text }):gsub("\\/", "/") .. "\n", "application/json"
  end
  ngx.req.discard_body()
  if ngx.req.http_version() == 0.9 and ngx.var.server_protocol ~= "" then
    body = head_for(code, kind, #body) .. body
  end
  ngx.status = code
  ngx.header["Content-Type"] = kind
  ngx.header["Content-Length"] = #body
  ngx.header["Vary"] = "Accept"
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
  if (received == "0" or not received) and retry.is_lost() then
    return "the node that it runs on does not answer any more"
  end
  if received == "0" or not received then -- not: M.broke, which asks no instance
    return "its instance closed the connection before it answered"
  end
  if (ngx.var.aorta_interim or "") ~= "" then
    return "its instance sent interim answers (such as 103 Early Hints), and no valid one behind them"
  end
  if (tonumber(received) or 0) >= HEAD then
    return "the headers of its answer are more than 32 kB"
  end
  local said = retry.last(ngx.var.upstream_status)
  if ngx.req.http_version() ~= 0.9 and said and said:find("^[01]..$") then
    return "its instance answered with the status " .. said .. ", which ends no request"
  end
  return "its instance's answer is not valid HTTP"
end

-- A number of bytes as people set it.
local function size(bytes)
  for _, unit in ipairs({ { 2 ^ 30, "g" }, { 2 ^ 20, "m" }, { 2 ^ 10, "k" } }) do
    if bytes > 0 and bytes % unit[1] == 0 then
      return ("%.0f%s"):format(bytes / unit[1], unit[2])
    end
  end
  return ("%.0f bytes"):format(bytes)
end

local function unavailable(name, host)
  if host.cold.paused ~= 0 then
    return name .. " is stopped", 'app "' .. name .. '" is stopped (start it: aorta ps start -a ' .. name .. ")", 60
  end
  return "No instance of " .. name .. " is ready", 'app "' .. name .. '" has no running instance (see: aorta ps -a ' .. name .. ")", 5
end

-- Of a host that is known: a title and a text.
local for_app = {
  [404] = function(name)
    return name .. " has no release yet", 'app "' .. name .. '" has no release yet (deploy it: git push aorta main, or aorta deploy -a ' .. name .. ")"
  end,
  [413] = function(name, host)
    return "This is too large for " .. name, ('app "%s" takes request bodies of at most %s (more: aorta route set -a %s --max-body SIZE)'):format(
      name, size(host.cold.max_body), name)
  end,
  [502] = function(name)
    return name .. " gave no valid answer", ('app "%s" gave no valid answer: %s (see: aorta logs -a %s)'):format(name, why_bad(), name)
  end,
  [503] = unavailable,
  [504] = function(name, host)
    return name .. " does not answer", ('app "%s" did not begin to answer within %s (longer: aorta route set -a %s --timeout TIME)'):format(
      name, duration(host.cold.timeout), name)
  end,
}

-- Of any request.
local for_all = {
  [400] = { "This request can't be read", "the request is not valid HTTP/1.1: check its first line, its headers and its chunks" },
  [405] = { "This method is not passed on", "TRACE and CONNECT are not passed on to apps: use another method" },
  [413] = { "This is too large", "the request's body is too large for the app" },
  [414] = { "This address is too long", "the request's address is longer than 32 kB: send what is in it as a body" },
  [431] = { "This request's headers are too large", "a header of the request is longer than 32 kB, all together than 128 kB, or there are more than 1,000 headers: send fewer or smaller cookies" },
  [500] = { "The router failed", "the router could not pass the request on: its log (nginx.log in the router's data directory) says why" },
  [501] = { "This transfer encoding is not known", "of transfer encodings the router knows chunked alone: send the body so, or with its length" },
  [502] = { "The app gave no valid answer", "the app gave no valid answer" },
  [503] = { "No instance is ready", "the app has no running instance" },
  [504] = { "The app does not answer", "the app did not answer in time" },
  [505] = { "This version of HTTP is not spoken here", "the router speaks HTTP/1.0 and HTTP/1.1 alone" },
}
local UNKNOWN = { "The request failed", "the request failed in the router" }

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
  write(code, unpack(for_all[code] or UNKNOWN))
end

-- failed answers in nginx's stead, where it has set the status already. Its 504 has
-- two limits: of connecting, after which nothing was sent and no app was asked, and of
-- silence.
function M.failed()
  local code = retry.overruled() or ngx.status
  if code == 504 and retry.last(ngx.var.upstream_bytes_sent) == "0" then
    code = 502
  end
  own(code)
end

-- unavailable is for an app of which no instance gets requests: one that was never
-- deployed has nothing that could.
function M.unavailable()
  local host = retry.asked()
  if host and host.cold.releases == 0 and host.cold.paused == 0 then
    return own(404)
  end
  own(503)
end

-- unknown is for a host name that no app has.
function M.unknown()
  local host = ngx.var.host
  write(404, "No such app here", "no app here has the host name " .. host .. " (give it to one: aorta domains add -a APP " .. host .. ")")
end

function M.bad_host()
  write(400, "This is no host name", "the Host header is not a host name, with or without a port")
end

-- not_yet is for a router that has no table.
function M.not_yet()
  write(503, "The router is starting", "the router has no routing table yet (it asks the pacemaker for it)", 1)
end

-- busy is for an app that has as many requests in flight as there is room for.
function M.busy()
  local host = retry.asked()
  local name = host and name_of(host) or ""
  write(503, name .. " is busy", ('app "%s" has as many requests in flight as the router has room for: try again in a moment (slow requests: aorta stats -a %s)'):format(
    name, name), 1)
end

-- broke is for a request on which two instances closed their connections.
function M.broke()
  own(502)
end

function M.too_many()
  write(429, "Too many connections", "this client has as many connections as the router has room for: close some, or try again in a moment", 1)
end

function M.timed_out()
  own(504)
end

function M.too_large()
  own(413)
end

return M
