-- Lets a request's body go on while its answer has begun. nginx stops sending to
-- the instance then, once the instance is slower than the client, unless a module
-- asks to go on: gRPC's does, and a plain proxy has no setting for it. So the flag
-- is set where nginx keeps it, in the settings of the location, and only where
-- everything around it is as expected: what is known of the settings is compared
-- first, and on another nginx nothing is changed.
local ffi = require "ffi"
local api = require "aorta.api"
local T = require "aorta.layout"

ffi.cdef [[
typedef struct { uintptr_t ctx_index; } aorta_module;
extern aorta_module ngx_http_proxy_module;
]]

local M = {}

local SIGNATURE = 0x50545448 -- "HTTP"
local LOC_CONF = 5           -- pointers into a request
-- Words of the settings: connect, send, read and next-upstream timeouts in ms,
-- and the head's size, as nginx.conf has them.
local KNOWN = { [1] = 500, [2] = 3600000, [3] = 3600000, [4] = 0, [6] = 32768 }
-- Words before the flags: two lists of variables to store by, both empty.
local FLAGS = 53
local PLAIN, GOING_ON = 0x20, 0xA0 -- flags of a proxy, and with preserve_output

local function settings_of(r)
  if ffi.cast("uint32_t *", r)[0] ~= SIGNATURE then
    return nil
  end
  local all = ffi.cast("uint64_t ***", r)[LOC_CONF]
  return all[ffi.C.ngx_http_proxy_module.ctx_index]
end

local function is_known(words)
  for at, value in pairs(KNOWN) do
    if words[at] ~= value then
      return false
    end
  end
  return words[FLAGS - 2] == 0 and words[FLAGS - 1] == 0
end

-- allow_here does so for the request's location.
function M.allow_here(r)
  local words = settings_of(r)
  local flags = words ~= nil and is_known(words) and ffi.cast("uint32_t *", words + FLAGS)
  if flags and (flags[0] == PLAIN or flags[0] == GOING_ON) then
    flags[0] = GOING_ON
    return
  end
  ngx.log(ngx.WARN, "this nginx keeps its settings elsewhere: a large body may stop coming once its answer has begun")
end

-- allow is called with a worker's requests until one is of the plain location:
-- requests that were looked at have one of their own.
function M.allow(r)
  if (api.var(r, "aorta_look") or "") == "" then
    T.duplex = 1
    M.allow_here(r)
  end
end
jit.off(M.allow)

return M
