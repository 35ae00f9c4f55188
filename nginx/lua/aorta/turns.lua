-- Whose turn it is: a group by weight, an instance of it in turn. By counters
-- and not at random, which would defeat the pool of idle connections.
local bit = require "bit"
local T = require "aorta.layout"

local band = bit.band

-- Odd and near the golden ratio of 65536: every point once in 65536 requests,
-- evenly spread at any time.
local STEP = 40503

local M = {}

local function next_of(g)
  local k = g.next
  local following = k + 1
  if following >= g.size then
    following = 0
  end
  g.next = following
  return g.first + k
end

local function far_group(h, point)
  for i = 3, h.groups - 1 do
    if point < h.group[i].bound then
      return h.group[i]
    end
  end
end
jit.off(far_group)

-- pick is the next instance of a record that has one.
local function pick(h)
  if h.groups == 1 then
    return next_of(h.only)
  end
  local point = band(h.point + STEP, 65535)
  h.point = point
  local g = h.group
  if point < g[0].bound then
    return next_of(g[0])
  end
  if point < g[1].bound then
    return next_of(g[1])
  end
  if point < g[2].bound then
    return next_of(g[2])
  end
  return next_of(far_group(h, point))
end
M.pick = pick

-- group is the record's group i, wherever it lies.
local function group(h, i)
  if h.groups == 1 then
    return h.only
  end
  return h.group[i]
end

-- other is an instance of the record for which usable(instance) holds: of the
-- given one's group first, then of the others.
function M.other(h, instance, usable)
  for round = 1, 2 do
    for i = 0, h.groups - 1 do
      local g = group(h, i)
      local own = instance >= g.first and instance < g.first + g.size
      for _ = 1, own == (round == 1) and g.size or 0 do
        local candidate = next_of(g)
        if usable(candidate) then
          return candidate
        end
      end
    end
  end
end

local function at_large(instance)
  return T.ejected_until[instance.slot] <= ngx.now()
end
M.at_large = at_large

local function search(h, instance)
  return M.other(h, instance, at_large) or instance
end
jit.off(search)

-- steer replaces an ejected instance. Three turns without a loop are enough
-- nearly always.
function M.steer(h, instance)
  if at_large(instance) then
    return instance
  end
  local second = pick(h)
  if at_large(second) then
    return second
  end
  local third = pick(h)
  if at_large(third) then
    return third
  end
  return search(h, instance)
end

return M
