-- An answer of the router as a page for people: for who asks for HTML before JSON,
-- as browsers do. It needs nothing from anywhere, and fits dark and light.
local M = {}

local STYLE = ":root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:20vh auto 0;padding:0 1.5rem;overflow-wrap:anywhere}"
  .. "h1{font-size:1.5rem;line-height:1.25;margin:0 0 .75rem}p{margin:0;opacity:.8}small{display:block;margin-top:1.5rem;opacity:.7}"

local ESCAPES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

-- escape makes text of anything that a client may have sent.
local function escape(text)
  return (text:gsub("[&<>\"']", ESCAPES))
end

function M.render(code, title, text)
  title = escape(title)
  return '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>' .. title
    .. "</title><style>" .. STYLE .. "</style></head><body><main><h1>" .. title .. "</h1><p>" .. escape(text) .. ".</p><small>" .. code
    .. "</small></main></body></html>\n"
end

-- quality is how much a media type is wanted: 0 to 1, and 1 where nothing is said.
local function quality(parameters)
  local q = parameters:match(";%s*[qQ]%s*=%s*([%d.]+)")
  return q and tonumber(q) or 1
end

-- wanted says that HTML is asked for by name, and more than JSON: of the two that
-- are wanted alike, the first.
function M.wanted(accept)
  local html, json = 0, 0
  for kind, parameters in (accept or ""):sub(1, 1000):gmatch("([^,;%s]+)%s*([^,]*)") do
    kind = kind:lower()
    local q = quality(parameters)
    if kind == "text/html" and q > json then
      html = q
    elseif kind == "application/json" and q > html then
      html, json = 0, q
    end
  end
  return html > 0
end

return M
