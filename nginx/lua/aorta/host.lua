-- Host names as the table has them. The same rules as router.CanonicalHost in
-- Go; one table of cases is walked through both.
local find, sub, lower, gsub = string.find, string.sub, string.lower, string.gsub

local M = {}

-- canonical("Shop.example.com.:80") is "shop.example.com"; nil for what is no
-- host name. A port is whatever follows the first colon.
function M.canonical(host)
  local colon = find(host, ":", 1, true)
  if colon then
    host = sub(host, 1, colon - 1)
  end
  host = gsub(host, "%.$", "")
  if #host < 1 or #host > 253 or find(host, "[^A-Za-z0-9.-]") then
    return nil
  end
  if sub(host, 1, 1) == "." or sub(host, -1) == "." or find(host, "..", 1, true) then
    return nil
  end
  return lower(host)
end

-- of_header is a Host header's canonical name; nil also where what follows the
-- colon is no port, since the app builds addresses from it.
function M.of_header(header)
  if find(header, ":", 1, true) and not find(header, "^[^:]*:%d?%d?%d?%d?%d?$") then
    return nil
  end
  return M.canonical(header)
end

-- is_name says whether a record can have this name: a canonical host or "*."
-- and one.
function M.is_name(name)
  local base = gsub(name, "^%*%.", "")
  return #name <= 253 and M.canonical(base) == base
end

return M
