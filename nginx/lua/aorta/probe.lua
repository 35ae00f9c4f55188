-- Asks a machine for a sign of life: a connection to it that is made, or refused,
-- which the machine does by itself. Apps see a connection that says nothing.
local M = {}

local PATIENCE = 500 -- ms, as proxy_connect_timeout

-- What a machine without power, or behind a broken link, comes to. Any other
-- error is the router's own.
local SILENT = {
  ["timeout"] = true, ["no route to host"] = true, ["network is unreachable"] = true, ["host is down"] = true,
}

local function connects(address, port)
  local socket = ngx.socket.tcp()
  socket:settimeout(PATIENCE)
  local ok, err = socket:connect(address, port)
  if ok then
    socket:close()
  end
  return ok or not SILENT[err]
end

-- answers says whether the machine answers at one of the ports, which are asked
-- side by side; the one that is the most likely to be heard stands first.
function M.answers(address, ports)
  local asking, heard = {}, false
  for i, port in ipairs(ports) do
    asking[i] = ngx.thread.spawn(connects, address, port)
  end
  for _, thread in ipairs(asking) do
    if heard then
      ngx.thread.kill(thread)
    else
      local ran, answered = ngx.thread.wait(thread)
      heard = ran and answered
    end
  end
  return heard
end

return M
