-- The worker's sockets to instances, as the kernel knows them. A machine that has
-- lost its power says nothing, and neither nginx nor the kernel asks: a request
-- that it had taken would wait for its app's limit, and a websocket for an hour.
-- So the kernel is told to ask, by keep-alive probes, which every machine answers
-- by itself, whatever its apps do. A limit for what is not acknowledged
-- (TCP_USER_TIMEOUT) would also cut off an app that reads slowly.
local ffi = require "ffi"
local connections = require "aorta.connections"
require "aorta.hangup"

ffi.cdef [[
typedef struct {
  uint8_t state, congestion, retransmits, probes, backoff, options, scale, limited;
  uint32_t rto, ato, sent_size, received_size, unacknowledged, sacked, lost, repeated, forward;
  uint32_t data_sent, ack_sent, data_received, ack_received; /* ms ago */
} aorta_tcp_info;
int getsockopt(int fd, int level, int name, void *value, uint32_t *len);
]]

local C = ffi.C
local TCP, INFO, IDLE, INTERVAL, COUNT = 6, 11, 4, 5, 6
local ESTABLISHED = 1
local INET, INET6 = 2, 10
local BOTH_WAYS = 2

local M = {}

local info, value = ffi.new("aorta_tcp_info"), ffi.new("int[1]")
local address = ffi.new("aorta_sockaddr")
local len = ffi.new("uint32_t[1]")

-- info is what the kernel knows of a connection, valid until the next call; nil
-- where there is none to a machine.
function M.info(fd)
  len[0] = ffi.sizeof(info)
  if C.getsockopt(fd, TCP, INFO, info, len) ~= 0 or info.state ~= ESTABLISHED then
    return nil
  end
  return info
end

-- peer is the machine's address in 4 or 16 bytes, and the port.
function M.peer(fd)
  len[0] = ffi.sizeof(address)
  if C.getpeername(fd, address, len) ~= 0 then
    return nil
  end
  local port = address.port[0] * 256 + address.port[1]
  if address.family == INET then
    return ffi.string(address.rest, 4), port
  elseif address.family == INET6 then
    return ffi.string(address.rest + 4, 16), port
  end
end

local function get(fd, name)
  len[0] = 4
  return C.getsockopt(fd, TCP, name, value, len) == 0 and value[0] or 0
end

local function set(fd, name, number)
  value[0] = number
  C.setsockopt(fd, TCP, name, value, 4)
end

-- keepalive lets the kernel ask after so many seconds without a word from the machine,
-- and then again each interval; it ends the connection when so many were in vain.
-- proxy_socket_keepalive has switched it on.
function M.keepalive(fd, idle, interval, count)
  if get(fd, IDLE) ~= idle then
    set(fd, COUNT, count)
    set(fd, INTERVAL, interval)
    set(fd, IDLE, idle)
  end
end

-- hang_up ends a connection from outside: nginx sees its end.
function M.hang_up(fd)
  C.shutdown(fd, BOTH_WAYS)
end

local at = 0

-- part visits one of so many parts of the sockets, the next one each time.
function M.part(of, visit)
  local step = math.ceil(connections.all / of)
  if at >= connections.all then
    at = 0
  end
  connections.each_peer(at, math.min(at + step, connections.all), visit)
  at = at + step
end

return M
