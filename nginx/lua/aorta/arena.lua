-- Memory for records: blocks of 64-byte lines cut from large aligned chunks
-- that may be backed by huge pages. A freed block is used again at once, which
-- is safe because no request holds a pointer into it between two events.
local ffi = require "ffi"

ffi.cdef [[
int posix_memalign(void **p, size_t alignment, size_t size);
void *malloc(size_t size);
void free(void *p);
int madvise(void *p, size_t length, int advice);
]]

local CHUNK, ALIGNMENT, HUGE = 2 ^ 24, 2 ^ 21, 14
local LARGEST = CHUNK / 8

local out = ffi.new("void *[1]")
local spare = {} -- block size -> addresses
local at, left = 0, 0

local M = {}

-- rounded is the size that a block of so many bytes gets: the fewer sizes, the
-- more often a freed block fits again.
local function rounded(bytes)
  local step = 64
  while step * 16 < bytes do
    step = step * 2
  end
  return math.ceil(bytes / step) * step
end

local function aligned(bytes, alignment)
  if ffi.C.posix_memalign(out, alignment, bytes) ~= 0 then
    error("no memory for routes")
  end
  return out[0]
end

local function next_chunk()
  local chunk = aligned(CHUNK, ALIGNMENT)
  -- Refused where there are no huge pages; then it is slower, not wrong.
  ffi.C.madvise(chunk, CHUNK, HUGE)
  at, left = tonumber(ffi.cast("uintptr_t", chunk)), CHUNK
end

-- allocate(bytes) is a block's address and the size to free it with.
function M.allocate(bytes)
  local size = rounded(bytes)
  if size > LARGEST then
    return aligned(size, 64), size
  end
  local list = spare[size]
  if list and #list > 0 then
    return ffi.cast("void *", table.remove(list)), size
  end
  if left < size then
    next_chunk()
  end
  local block = ffi.cast("void *", at)
  at, left = at + size, left - size
  return block, size
end

function M.free(block, size)
  if size > LARGEST then
    ffi.C.free(block)
    return
  end
  local list = spare[size]
  if not list then
    list = {}
    spare[size] = list
  end
  list[#list + 1] = tonumber(ffi.cast("uintptr_t", block))
end

return M
