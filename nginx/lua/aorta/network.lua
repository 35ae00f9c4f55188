-- "ip:port" strings and the networks that they may lie in.
local ffi = require "ffi"
local bit = require "bit"

ffi.cdef [[
int inet_pton(int af, const char *src, void *dst);
]]

local AF_INET, AF_INET6 = 2, 10
local bytes = ffi.new("uint8_t[16]")

local M = {}

-- pton("10.77.0.3") is the address's 4 or 16 bytes as a string, or nil.
function M.pton(text)
  if ffi.C.inet_pton(AF_INET, text, bytes) == 1 then
    return ffi.string(bytes, 4)
  end
  if ffi.C.inet_pton(AF_INET6, text, bytes) == 1 then
    return ffi.string(bytes, 16)
  end
end

local pton = M.pton

local function matches(network, address)
  if #network.address ~= #address then
    return false
  end
  local whole = math.floor(network.bits / 8)
  if network.address:sub(1, whole) ~= address:sub(1, whole) then
    return false
  end
  local rest = network.bits % 8
  if rest == 0 then
    return true
  end
  local shift = 8 - rest
  return bit.rshift(network.address:byte(whole + 1), shift) == bit.rshift(address:byte(whole + 1), shift)
end

-- parse({"10.77.0.0/24", ...}) is what contains() takes.
function M.parse(prefixes)
  local networks = {}
  for _, prefix in ipairs(prefixes) do
    local text, bits = prefix:match("^(.+)/(%d+)$")
    local address = text and pton(text)
    if not address then
      error("network " .. tostring(prefix) .. " is not of the form 10.0.0.0/8")
    end
    networks[#networks + 1] = { address = address, bits = tonumber(bits) }
  end
  return networks
end

-- split("10.77.0.3:20017") is the address as nginx takes it (IPv6 in brackets),
-- its bytes and the port; nil for anything else.
function M.split(addr)
  local text, port = addr:match("^([%d.]+):(%d+)$")
  local shown = text
  if not text then
    text, port = addr:match("^%[([%x:.]+)%]:(%d+)$")
    shown = text and "[" .. text .. "]"
  end
  if not text or #shown > 45 then
    return nil
  end
  local raw, number = pton(text), tonumber(port)
  if not raw or number < 1 or number > 65535 or (#raw == 16) ~= (shown ~= text) then
    return nil
  end
  return shown, raw, number
end

function M.contains(networks, raw)
  for i = 1, #networks do
    if matches(networks[i], raw) then
      return true
    end
  end
  return false
end

return M
