-- Keeps the dashboard's session from apps. Browsers send a host's cookies to
-- every port of it, so that an app at a name or an address by which somebody
-- opens the dashboard would be sent the session.
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

-- strip is called for requests that have one, with their headers.
function M.strip(headers)
  local lines = headers["cookie"]
  local kept = {}
  for _, line in ipairs(type(lines) == "table" and lines or { lines }) do
    kept[#kept + 1] = without(line)
  end
  ngx.req.set_header("Cookie", kept)
end

return M
