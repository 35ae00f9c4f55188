-- Where nginx 1.22 keeps a request and the exchange with its instance, as far as
-- aorta.interim reads and writes them. What is known of both is compared first.
local bit = require "bit"
local ffi = require "ffi"

jit.off(true, true)

ffi.cdef [[
typedef struct { void *last; void *values; uintptr_t n; void *next; size_t size; uintptr_t room; void *pool; } aorta_list;
typedef struct { size_t len; uint8_t *data; } aorta_text;
typedef struct { uintptr_t hash; aorta_text name, value; uint8_t *lowered; } aorta_header;
typedef struct { aorta_header *values; uintptr_t n; void *next; } aorta_part;
typedef struct { void *data; int32_t flags; } aorta_event;
typedef struct { void *data; aorta_event *read, *write; } aorta_peer;

typedef struct {            /* the head that the client gets */
  aorta_list headers, trailers;
  uintptr_t status;
  aorta_text line;
  aorta_header *server, *date;
  void *others[28];
  int64_t length;
  void *more[3];
} aorta_head;

typedef struct {            /* the head as it came from the instance */
  aorta_list headers, trailers;
  uintptr_t status;
  aorta_text line;
  void *others[28];
  int64_t length, modified;
  uint64_t flags;
} aorta_head_read;

typedef struct {            /* the exchange with an instance */
  void *on_read, *on_write;
  aorta_peer *peer;
  void *more[43];
  aorta_head_read head;
  void *sources[11];
  uint8_t *pos, *last;      /* what came and was not read yet */
  int64_t in_file[2];
  uint8_t *start, *stop;    /* of the memory for it */
  void *buffer[4];
  int64_t body;             /* what is left of it; -1 for any */
  void *chains[3];
  intptr_t (*begin_body)(void *r);
  void *take_body, *taken_by;
  void *create[2];
  intptr_t (*start_over)(void *r);
  intptr_t (*read_head)(void *r);
  void *calls[5];
  uintptr_t *state;         /* begins with the status that is logged */
  void *names[9];
  int32_t flags;
} aorta_exchange;

typedef struct {
  uint32_t signature;
  void *connection, *modules;
  void **main_settings;
  void *settings[2], *on_read, *on_write, *cache;
  aorta_exchange *exchange;
  void *states, *pool, *input;
  uint64_t asked[54];
  aorta_head head;
  void *more[45];
  int32_t flags;
} aorta_request;

typedef struct {            /* what nginx does with a header of an answer */
  aorta_text name;
  void *take;
  uintptr_t place;
  intptr_t (*copy)(void *r, aorta_header *h, uintptr_t how);
  uintptr_t how;
} aorta_known_header;
]]

assert(ffi.offsetof("aorta_request", "flags") == 1304 and ffi.offsetof("aorta_exchange", "flags") == 1128)

local M = {}

local SIGNATURE = 0x50545448 -- "HTTP"
local HEAD_SIZE = 32768      -- proxy_buffer_size
-- An exchange that was sent by proxy_pass, has neither cache nor buffers, and
-- whose head the client has not got; what else its flags say may be.
local FLAGS, WAITING = 0xFFFFCEFD, 0x0804
local HEAD_SENT = 0x04000000 -- of a request's flags
local ACTIVE = 0x8           -- of an event: epoll knows of it

-- lies_so says that the structures lie as they are declared above: what stands in
-- one is found in the other.
local function lies_so(r, x)
  return r.signature == SIGNATURE and x ~= nil and x.taken_by == r and x.peer ~= nil and x.peer.data == r
    and x.head.status == r.head.status and x.head.length == r.head.length
    and x.head.line.data == r.head.line.data and x.head.line.len == r.head.line.len
    and x.head.headers.pool == r.pool and r.head.headers.pool == r.pool
    and x.head.headers.size == ffi.sizeof("aorta_header") and r.head.headers.size == x.head.headers.size
    and x.stop - x.start == HEAD_SIZE and x.start <= x.pos and x.pos <= x.last and x.last <= x.stop
    and bit.band(x.flags, FLAGS) == WAITING and bit.band(x.peer.read.flags, x.peer.write.flags, ACTIVE) ~= 0
end

function M.pretend_sent(r, sent)
  r.flags = sent and bit.bor(r.flags, HEAD_SENT) or bit.band(r.flags, bit.bnot(HEAD_SENT))
end

-- flag_is_there says that what nginx's Lua says of the head is what is set here.
local function flag_is_there(r)
  if ngx.headers_sent then
    return false
  end
  M.pretend_sent(r, true)
  local sent = ngx.headers_sent
  M.pretend_sent(r, false)
  return sent and not ngx.headers_sent
end

-- of is a request and its exchange; nil on an nginx that has them elsewhere.
function M.of(r)
  local version = ngx.config.nginx_version
  if version < 1022000 or version >= 1023000 then
    return nil
  end
  r = ffi.cast("aorta_request *", r)
  if lies_so(r, r.exchange) and flag_is_there(r) then
    return r, r.exchange
  end
end
return M
