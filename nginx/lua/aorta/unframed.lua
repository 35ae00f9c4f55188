-- Answers whose end nobody can tell: a switch of protocols that was not offered,
-- statuses below 100, what is no HTTP, and interim ones (100, 102, 103) where
-- nginx can't be made to read over them. The nginx of today's distributions passes
-- on all that comes behind such a head, on a client's connection that stays open.
-- What an app writes there later would be read as the answer to the next request,
-- which may be another app's. So they become a 502.
local api = require "aorta.api"
local interim = require "aorta.interim"
local retry = require "aorta.retry"

local M = {}

local NO_HTTP, SWITCHED, BAD_GATEWAY = 9, 101, 502

local function has_an_end(r)
  local status = api.status(r)
  return status >= 200 or status == SWITCHED and (api.var(r, "aorta_upgrade") or "") ~= ""
end

local function refuse(r)
  -- nginx has no head for what it took for HTTP/0.9, and no body for HEAD.
  if api.status(r) == NO_HTTP and ngx.req.get_method() == "HEAD" then
    return ngx.exit(444) -- the end of the connection
  end
  local key = api.key(r)
  if retry.flying[key] then
    retry.overrule(key, BAD_GATEWAY)
  end
  return ngx.exit(BAD_GATEWAY)
end

-- check_head is called with each head whose status is below 200.
function M.check_head(r)
  if interim.is(api.status(r)) and interim.read_over(r) == "wait" then
    return
  end
  if not has_an_end(r) then
    return refuse(r)
  end
end
jit.off(M.check_head, true)

return M
