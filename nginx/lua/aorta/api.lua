-- nginx-lua's own C functions as the hot path calls them. The wrappers of
-- ngx.balancer and ngx.var cost a string per request.
local ffi = require "ffi"
local base = require "resty.core.base"
require "resty.core.var"
require "resty.core.misc"
require "ngx.balancer"

local C = ffi.C
local OK = base.FFI_OK

local M = { get_request = base.get_request }

local message = ffi.new("char *[1]")
local value, value_len = ffi.new("unsigned char *[1]"), ffi.new("size_t[1]")
local lowered = ffi.new("unsigned char[64]")
local failure, failure_len = ffi.new("unsigned char[256]"), ffi.new("size_t[1]")
local status = ffi.new("int[1]")

-- host gives address and length of the Host header as it was sent, valid during
-- the request's event; nil where there is none.
function M.host(r)
  if C.ngx_http_lua_ffi_var_get(r, "http_host", 9, lowered, 0, value, value_len, message) ~= OK then
    return nil, 0
  end
  return value[0], tonumber(value_len[0])
end

-- var is the value of any request's variable, nil where it has none.
function M.var(r, name)
  if C.ngx_http_lua_ffi_var_get(r, name, #name, lowered, 0, value, value_len, message) ~= OK then
    return nil
  end
  return ffi.string(value[0], value_len[0])
end

-- timeouts sets this request's limits towards the instance, in milliseconds.
function M.timeouts(r, connect, silence)
  return C.ngx_http_lua_ffi_balancer_set_timeouts(r, connect, silence, silence, message)
end

-- log_part sets $aorta_route; nginx copies the text.
function M.log_part(r, text, len)
  failure_len[0] = 256
  return C.ngx_http_lua_ffi_var_set(r, "aorta_route", 11, lowered, text, len, failure, failure_len)
end

-- last_failure is 0 for a request's first attempt.
function M.last_failure(r)
  return C.ngx_http_lua_ffi_balancer_get_last_failure(r, status, message)
end

-- peer chooses the address; nginx copies it.
function M.peer(r, addr, len, port)
  return C.ngx_http_lua_ffi_balancer_set_current_peer(r, addr, len, port, message)
end

function M.more_tries(r, n)
  return C.ngx_http_lua_ffi_balancer_set_more_tries(r, n, message)
end

function M.status(r)
  return C.ngx_http_lua_ffi_get_resp_status(r)
end

-- key names the request among those in flight in this worker.
function M.key(r)
  return tonumber(ffi.cast("uintptr_t", r))
end

return M
