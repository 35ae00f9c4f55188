-- Answers whose end nobody can tell: interim ones (100, 102, 103), a switch of
-- protocols that was not offered, statuses below 100 and what is no HTTP. The nginx
-- of today's distributions passes on all that comes behind such a head, on a
-- client's connection that stays open. What an app writes there later would be read
-- as the answer to the next request, which may be another app's. So they become a 502.
local api = require "aorta.api"
local retry = require "aorta.retry"

local M = {}

local NO_HTTP, SWITCHED, BAD_GATEWAY = 9, 101, 502

function M.refuse(r)
  if api.status(r) == SWITCHED and (api.var(r, "aorta_upgrade") or "") ~= "" then
    return
  end
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
jit.off(M.refuse)

return M
