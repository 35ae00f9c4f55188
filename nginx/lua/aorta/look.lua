-- Looks at the headers of requests that say more than most: the dashboard's
-- session, the request's id, or what a trusted proxy knows of its client. nginx's
-- own $http_x_forwarded_host is also what an X_Forwarded_Host says, so these are
-- read here, by their exact names.
local api = require "aorta.api"
local cookies = require "aorta.cookies"
local duplex = require "aorta.duplex"

local M = {}

local SAID = {
  aorta_said_id = "x-request-id",
  aorta_said_proto = "x-forwarded-proto",
  aorta_said_host = "x-forwarded-host",
  aorta_said_port = "x-forwarded-port",
}

local allowed -- whether bodies go on in this location, which is one of its own

function M.at_headers()
  if not allowed then
    allowed = true
    duplex.allow_here(api.get_request())
  end
  local headers = ngx.req.get_headers(0)
  for name, header in pairs(SAID) do
    -- What is said twice is a list, and counts as not said.
    local value = rawget(headers, header)
    if type(value) == "string" then
      ngx.var[name] = value
    end
  end
  if ngx.var.aorta_session_sent ~= "" then
    cookies.strip(headers)
  end
end

return M
