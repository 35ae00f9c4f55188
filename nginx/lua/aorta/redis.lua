-- A reader of Redis' protocol, as much as the feed needs: log in, commands, a
-- subscription. Of our own because the packaged clients have other names on
-- Debian and OpenResty, and neither tells a quiet subscription from a torn
-- reply.
local settings = require "aorta.settings"

local sub = string.sub

local TIMEOUT = 2000 -- ms

local M = {}
local Connection = { __index = M }

-- read gives one reply: string, number, list, ngx.null, or nil and an error.
-- "timeout" means that nothing had begun to arrive.
local function read(sock, nested)
  local line, err, part = sock:receive()
  if not line then
    if err == "timeout" and (nested or (part and part ~= "")) then
      err = "torn reply"
    end
    return nil, err
  end
  local kind, rest = sub(line, 1, 1), sub(line, 2)
  if kind == "+" then
    return rest
  elseif kind == "-" then
    return nil, "redis: " .. rest
  elseif kind == ":" then
    return tonumber(rest)
  end
  local n = tonumber(rest)
  if n == nil or (kind ~= "$" and kind ~= "*") then
    return nil, "not a reply: " .. sub(line, 1, 40)
  elseif n < 0 then
    return ngx.null
  elseif kind == "$" then
    local data, data_err = sock:receive(n + 2)
    if not data then
      return nil, "torn reply: " .. data_err
    end
    return sub(data, 1, n)
  end
  local list = {}
  for i = 1, n do
    local item, item_err = read(sock, true)
    if item == nil then
      return nil, item_err
    end
    list[i] = item
  end
  return list
end

local function encode(command)
  local parts = { "*" .. #command .. "\r\n" }
  for _, word in ipairs(command) do
    word = tostring(word)
    parts[#parts + 1] = "$" .. #word .. "\r\n" .. word .. "\r\n"
  end
  return table.concat(parts)
end

-- call sends commands in one go and returns the last one's reply.
function M:call(...)
  local commands, lines = { ... }, {}
  for i, command in ipairs(commands) do
    lines[i] = encode(command)
  end
  local _, err = self.sock:send(table.concat(lines))
  if err then
    return nil, err
  end
  local reply
  for _ = 1, #commands do
    reply, err = read(self.sock)
    if reply == nil then
      return nil, err == "timeout" and "no reply" or err
    end
  end
  return reply
end

-- message waits for one message of a subscription; nil, "timeout" when none
-- came within so many milliseconds.
function M:message(milliseconds)
  self.sock:settimeouts(TIMEOUT, TIMEOUT, milliseconds)
  local reply, err = read(self.sock)
  if reply == nil then
    return nil, err
  end
  return reply[3]
end

function M:close()
  self.sock:close()
end

-- connect opens a connection to the local replica, logged in.
function M.connect()
  local sock = ngx.socket.tcp()
  sock:settimeouts(TIMEOUT, TIMEOUT, TIMEOUT)
  local ok, err = sock:connect("unix:" .. settings.replica_socket)
  if not ok then
    return nil, err
  end
  local self = setmetatable({ sock = sock }, Connection)
  if settings.replica_password and settings.replica_password ~= "" then
    local user = settings.replica_user ~= "" and settings.replica_user or "default"
    ok, err = self:call({ "AUTH", user, settings.replica_password })
    if not ok then
      sock:close()
      return nil, err
    end
  end
  return self
end

return M
