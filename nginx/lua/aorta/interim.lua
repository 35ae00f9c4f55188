-- Reads over an app's interim answers (100, 102, 103), of which nginx knows
-- nothing: it takes each for the answer itself. So once such a head was read, the
-- request is put back to where it waits for a head, as nginx does before another
-- attempt, and what came behind is read as the next one. They are not passed on:
-- a client may be a proxy that does not know of them either.
--
-- nginx has no call for it, so all is done where it keeps the answer; on an nginx
-- that has it elsewhere an interim answer is refused.
local bit = require "bit"
local ffi = require "ffi"
local answer = require "aorta.answer"
require "aorta.duplex"

-- nginx calls back into what was the last to use the FFI, and compiled code leaves
-- no trace of that.
jit.off(true, true)

ffi.cdef [[
typedef intptr_t (*aorta_begin_body)(void *r);
extern aorta_module ngx_http_upstream_module;
extern struct { intptr_t (*add)(aorta_event *event, intptr_t kind, uintptr_t flags); } ngx_event_actions;
void *ngx_palloc(void *pool, size_t size);
void *ngx_list_push(aorta_list *list);
aorta_known_header *ngx_hash_find(void *hash, uintptr_t key, uint8_t *name, size_t len);
void ngx_http_clean_header(aorta_request *r);
void *memmove(void *to, const void *from, size_t n);
]]

local C = ffi.C
local M = {}

local OK, FAILED, AGAIN = 0, -1, -2
local SWITCHED = 101
local SENT, OF_A_HEAD = 0x4000, 0x0700 -- flags of an exchange
local READY = 0x20                     -- of an event
local READING, ONCE = 0x2001, 0x80000000 -- what epoll is asked for
local HEAD_SIZE = 32768
-- Of one request: bytes of interim answers, and what each one takes besides.
local MOST, EACH = 2 ^ 18, 256

local function set(flags, which) return bit.bor(flags, which) end
local function unset(flags, which) return bit.band(flags, bit.bnot(which)) end

-- is says that it is the status of an interim answer.
function M.is(status)
  return status >= 100 and status < 200 and status ~= SWITCHED
end

local function empty(list)
  list.n, list.next = 0, nil
  list.last = ffi.cast("char *", list) + ffi.offsetof("aorta_list", "values")
end

-- forget forgets the head that was read, and what was read of the next one.
local function forget(r, x)
  C.ngx_http_clean_header(r)
  local head = x.head
  empty(head.headers)
  empty(head.trailers)
  local from = ffi.offsetof("aorta_head_read", "status")
  ffi.fill(ffi.cast("char *", head) + from, ffi.sizeof("aorta_head_read") - from)
  head.length, head.modified = -1, -1
  x.flags = unset(x.flags, OF_A_HEAD)
  x.state[0] = 0
  return x.start_over(r) == OK
end

local function copy(r, known_headers, h)
  local known = C.ngx_hash_find(known_headers, h.hash, h.lowered, h.name.len)
  if known ~= nil then
    return known.copy(r, h, known.how) == OK
  end
  local to = ffi.cast("aorta_header *", C.ngx_list_push(r.head.headers))
  if to ~= nil then
    to[0] = h
  end
  return to ~= nil
end

local function copy_all(r, x)
  local known_headers = r.main_settings[C.ngx_http_upstream_module.ctx_index]
  local part = ffi.cast("aorta_part *", ffi.cast("char *", x.head.headers) + ffi.offsetof("aorta_list", "values"))
  while part ~= nil do
    for i = 0, tonumber(part.n) - 1 do
      if not copy(r, known_headers, part.values[i]) then
        return false
      end
    end
    part = ffi.cast("aorta_part *", part.next)
  end
  return true
end

-- hide_absent: nginx adds these two without a value, so that it writes none itself.
local function hide_absent(h)
  if h ~= nil and h.value.data == nil then
    h.hash = 0
  end
end

-- copy_head makes the head that was read the client's, as nginx does. No header is
-- hidden by nginx.conf.
local function copy_head(r, x)
  if not copy_all(r, x) then
    return false
  end
  hide_absent(r.head.server)
  hide_absent(r.head.date)
  r.head.status, r.head.line, r.head.length = x.head.status, x.head.line, x.head.length
  x.body = -1
  return true
end

-- rearm has epoll tell once more whether there is something to read: nginx
-- may have been told of it, and have left it.
local function rearm(event)
  event.flags = unset(event.flags, READY)
  return C.ngx_event_actions.add(event, READING, ONCE)
end

local before = {} -- what nginx is about to change: used up within the same call

-- resume is called by nginx when it begins with the body: it goes back to waiting
-- for a head, and looks at once whether there is one.
local function resume(request)
  local r = ffi.cast("aorta_request *", request)
  local x = r.exchange
  x.begin_body = before.begin_body
  if bit.band(x.flags, SENT) == 0 then
    return FAILED
  end
  x.flags = unset(x.flags, SENT)
  x.on_read, r.on_write = before.on_read, before.on_write
  answer.pretend_sent(r, false)
  return rearm(x.peer.read)
end

local called_back -- made once, kept for good

local function wait(r, x)
  called_back = called_back or ffi.cast("aorta_begin_body", resume)
  before.begin_body, before.on_read, before.on_write = x.begin_body, x.on_read, r.on_write
  x.begin_body = called_back
  answer.pretend_sent(r, true)
end

-- make_room keeps the first n bytes of a head, from where they lie, so that it
-- may be as long as any.
local function make_room(r, x, from, n, seen)
  local room = seen.room or ffi.cast("uint8_t *", C.ngx_palloc(r.pool, 2 * HEAD_SIZE))
  if n > HEAD_SIZE or room == nil then
    return false
  end
  seen.room = room
  C.memmove(room, from, n)
  x.pos, x.last = room, room + n
  x.start, x.stop = room + n, room + n + HEAD_SIZE
  return forget(r, x) and x.read_head(r) == AGAIN and x.pos == x.last
end

-- count says whether the request may have one more.
local function count(x, seen)
  seen.bytes = seen.bytes + EACH + tonumber(x.pos - seen.from)
  seen.from = x.pos
  return seen.bytes <= MOST
end

-- next_head reads on, from behind an interim answer.
local function next_head(r, x, seen)
  local from = x.pos
  if not count(x, seen) or not forget(r, x) then
    return FAILED
  end
  if from == x.last then
    x.pos, x.last, seen.from = x.start, x.start, x.start
    return AGAIN
  end
  local result = x.read_head(r)
  if result == OK then
    return copy_head(r, x) and OK or FAILED
  elseif result == AGAIN and make_room(r, x, from, x.last - from, seen) then
    seen.from = seen.room
    return AGAIN
  end
  return FAILED
end

local complained = false

local function complain()
  if not complained then
    complained = true
    ngx.log(ngx.WARN, "this nginx keeps answers elsewhere: an app's interim answer (103 Early Hints) becomes a 502")
  end
end

-- read_over reads over the interim answer that nginx has read, and over those
-- behind it. Then nginx has read the next head, or is to "wait" for it; nil is
-- for what can't be read over.
function M.read_over(request)
  local r, x = answer.of(request)
  if not r then
    return complain()
  end
  local seen = ngx.ctx.interim or { bytes = 0, from = x.start }
  ngx.ctx.interim = seen
  ngx.var.aorta_interim = 1 -- outlives a redirect to the router's own answer
  local result
  repeat
    result = next_head(r, x, seen)
  until result ~= OK or not M.is(tonumber(r.head.status))
  if result == AGAIN then
    wait(r, x)
    return "wait"
  end
  return result == OK and "read" or nil
end

return M
