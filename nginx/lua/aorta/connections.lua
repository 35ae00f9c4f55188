-- The worker's connections where nginx keeps them: how many are free, and whose
-- the others are. Neither nginx nor its Lua tells, and what a client opens
-- without a whole request reaches no Lua at all. What is read are nginx's cycle
-- and the first fields of a connection; what is known of them is compared first,
-- and on an nginx that has them elsewhere no connection counts as scarce.
local ffi = require "ffi"
local T = require "aorta.layout"

ffi.cdef [[
typedef struct {
  void *data, *read, *write;
  int fd;
  void *calls[4];
  void *listening;          /* null for connections to instances */
  int64_t sent;
  void *log, *pool;
  int type;
  uint8_t *address;         /* a sockaddr; null where we listen */
} aorta_socket;
extern char *ngx_cycle;
int shutdown(int fd, int how);
int setsockopt(int fd, int level, int name, const void *value, uint32_t len);
]]

local C = ffi.C
-- Words of the cycle.
local FREE_LIST, FREE, ALL, FIRST = 15, 16, 61, 63
local SMALLEST, LARGEST = ffi.sizeof("aorta_socket"), 512 -- bytes of a connection
local INET, INET6 = 2, 10
local BOTH_WAYS = 2
local UNSENT = 256 * 1024 -- bytes
local TCP, NOTSENT_LOWAT = 6, 25

local M = {
  all = 0,    -- connections that the worker can have
  scarce = 0, -- below so many free ones they are shared out
}

-- Enough for a worker that can't tell.
local plenty = ffi.new("uint32_t[1]", 0xFFFFFFFF)
M.plenty = plenty
T.free = plenty

local first, size -- of the connections

-- size_of is a connection's size, by the list of the free ones, which are in a
-- row in a worker that was just born; nil where that is not so.
local function size_of(words, all)
  local free = tonumber(words[FREE_LIST])
  if free == 0 or words[FREE] < 2 or words[FREE] > all or words[FIRST] == 0 then
    return nil
  end
  local bytes = tonumber(ffi.cast("uint64_t *", free)[0]) - free
  local place = free - tonumber(words[FIRST])
  if bytes < SMALLEST or bytes > LARGEST or bytes % 8 ~= 0 or place < 0 or place % bytes ~= 0 or place / bytes >= all then
    return nil
  end
  return bytes
end

-- bound_unsent lets each connection that is accepted hold so many bytes that were
-- not sent yet. What was sent is bounded by what its client says that it takes,
-- so that one who reads nothing costs little, and one far away loses no speed.
local function bound_unsent(bytes)
  local value = ffi.new("int[1]", bytes)
  for i = 0, M.all - 1 do
    local c = ffi.cast("aorta_socket *", first + i * size)
    if c.fd ~= -1 and c.listening ~= nil and c.address == nil then
      C.setsockopt(c.fd, TCP, NOTSENT_LOWAT, value, ffi.sizeof(value)) -- refused by unix sockets
    end
  end
end

-- start is called in a new worker; all is its worker_connections.
function M.start(all)
  local words = ffi.cast("uint64_t *", C.ngx_cycle)
  size = words[ALL] == all and size_of(words, all)
  if not size then
    ngx.log(ngx.WARN, "this nginx keeps its connections elsewhere: none are kept back from a client or an app that takes many")
    return
  end
  first = ffi.cast("char *", words[FIRST])
  M.all, M.scarce = all, math.floor(all / 2)
  T.free = ffi.cast("uint32_t *", words + FREE)
  T.scarce = M.scarce
  bound_unsent(UNSENT)
end

-- free is how many connections the worker has left.
function M.free()
  return T.free[0]
end

-- short says that they are to be shared out.
function M.short()
  return T.free[0] < T.scarce
end

local MAPPED = ("\0"):rep(10) .. "\255\255" -- before an IPv4 address in an IPv6 one

-- by_ipv4 is an address's client for its 4 bytes.
local function by_ipv4(p)
  return ((p[0] * 256 + p[1]) * 256 + p[2]) * 256 + p[3]
end

local function by_ipv6(p)
  if p[0] == 0 and ffi.string(p, 12) == MAPPED then
    return by_ipv4(p + 12)
  end
  return ffi.string(p, 8)
end

-- client_of is a number for an IPv4 address, the network's 8 bytes for an IPv6
-- one, nil for a socket of the machine's own.
local function client_of(p)
  local family = p[0] + p[1] * 256
  if family == INET then
    return by_ipv4(p + 4)
  elseif family == INET6 then
    return by_ipv6(p + 8)
  end
end

-- each calls visit(client, connection) for the connections of clients.
function M.each(visit)
  for i = 0, M.all - 1 do
    local c = ffi.cast("aorta_socket *", first + i * size)
    if c.fd ~= -1 and c.listening ~= nil and c.address ~= nil then
      local client = client_of(c.address)
      if client then
        visit(client, c)
      end
    end
  end
end

-- each_peer calls visit(fd) for the sockets that the worker has opened, among so
-- many connections.
function M.each_peer(from, to, visit)
  for i = from, to - 1 do
    local c = ffi.cast("aorta_socket *", first + i * size)
    if c.fd ~= -1 and c.listening == nil then
      visit(c.fd)
    end
  end
end

-- request_of is the key of what the connection is busy with, as retry.flying has it.
function M.request_of(c)
  return tonumber(ffi.cast("uintptr_t", c.data))
end

-- hang_up ends a connection from outside: nginx sees its end.
function M.hang_up(c)
  C.shutdown(c.fd, BOTH_WAYS)
end

-- named is a client as people read it.
function M.named(client)
  if type(client) == "string" then
    local parts = {}
    for i = 1, 7, 2 do
      parts[#parts + 1] = ("%x"):format(client:byte(i) * 256 + client:byte(i + 1))
    end
    return table.concat(parts, ":") .. "::/64"
  end
  return ("%d.%d.%d.%d"):format(client / 2 ^ 24 % 256, client / 2 ^ 16 % 256, client / 2 ^ 8 % 256, client % 256)
end

-- from_bytes is the client of an address in 4 or 16 bytes.
function M.from_bytes(bytes)
  local p = ffi.cast("const uint8_t *", bytes)
  return #bytes == 4 and by_ipv4(p) or by_ipv6(p)
end

-- bytes_of is a client's address, 4 or 16 bytes.
function M.bytes_of(c)
  local p = c.address
  if p[0] == INET then
    return ffi.string(p + 4, 4)
  end
  local bytes = ffi.string(p + 8, 16)
  return bytes:sub(1, 12) == MAPPED and bytes:sub(13) or bytes
end

return M
