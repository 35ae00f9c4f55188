-- Hangs up on a request's instance, from outside of that request: nginx then
-- sees the connection end and goes its usual way. Neither nginx nor its Lua has
-- a call for it, so the connection is found where nginx keeps it: the first
-- fields of three structures, which have been the same since nginx 0.8. What is
-- found has to be a socket to the address that the request was sent to.
local ffi = require "ffi"
local api = require "aorta.api"
local settings = require "aorta.settings"

ffi.cdef [[
typedef struct { void *data, *read, *write; int fd; } aorta_connection;
typedef struct { void *read, *write; aorta_connection *connection; } aorta_upstream;
typedef struct { uint16_t family; uint8_t port[2]; char rest[124]; } aorta_sockaddr;
int getpeername(int fd, aorta_sockaddr *address, uint32_t *len);
int shutdown(int fd, int how);
]]

local C = ffi.C
local SIGNATURE = 0x50545448 -- "HTTP"
local BOTH_WAYS = 2
-- Pointers into a request before that to its upstream: one more with a cache.
local UPSTREAM = settings.no_http_cache and 8 or 9

local M = {}

local address, address_len = ffi.new("aorta_sockaddr"), ffi.new("uint32_t[1]")

-- port_of is the port that a socket is connected to.
local function port_of(fd)
  address_len[0] = ffi.sizeof(address)
  if C.getpeername(fd, address, address_len) ~= 0 then
    return nil
  end
  return address.port[0] * 256 + address.port[1]
end

local function connection_of(r)
  if ffi.cast("uint32_t *", r)[0] ~= SIGNATURE then
    return nil
  end
  local upstream = ffi.cast("aorta_upstream **", r)[UPSTREAM]
  if upstream == nil or upstream.connection == nil then
    return nil
  end
  return upstream.connection
end

-- on ends the connection to the request's instance; false where it has none.
function M.on(r)
  local connection = connection_of(r)
  local sent_to = (api.var(r, "upstream_addr") or ""):match(":(%d+)$")
  if not connection or not sent_to or port_of(connection.fd) ~= tonumber(sent_to) then
    return false
  end
  return C.shutdown(connection.fd, BOTH_WAYS) == 0
end

return M
