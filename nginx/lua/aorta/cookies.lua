-- Keeps the dashboard's session from apps. Browsers send a host's cookies to
-- every port of it, so that an app at a name or an address by which somebody
-- opens the dashboard would be sent the session.
local duplex = require "aorta.duplex"
local api = require "aorta.api"

local M = {}

-- As web/auth names it, without and with TLS.
local SESSION = { ["aorta_session"] = true, ["__Host-aorta_session"] = true }

-- without is a Cookie header without the sessions; nil where nothing is left.
local function without(line)
  local kept = {}
  for pair in (line .. ";"):gmatch("([^;]*);") do
    if not SESSION[pair:match("^%s*([^=]-)%s*=")] then
      kept[#kept + 1] = pair
    end
  end
  local text = table.concat(kept, ";"):gsub("^%s+", "")
  return text ~= "" and text or nil
end

local allowed -- whether bodies go on in this location, which is one of its own

-- strip is called for requests that have one.
function M.strip()
  if not allowed then
    allowed = true
    duplex.allow(api.get_request())
  end
  local lines = ngx.req.get_headers(0)["cookie"]
  local kept = {}
  for _, line in ipairs(type(lines) == "table" and lines or { lines }) do
    kept[#kept + 1] = without(line)
  end
  ngx.req.set_header("Cookie", kept)
end

return M
