-- What the Go part sets for this nginx: read once by the master, as root, from a
-- file that nobody else can read (it holds the replica's password). Reloads
-- read it again.
local cjson = require "cjson.safe"

local M = {}

-- Fields: cluster, router, digest, replica_socket, replica_user,
-- replica_password, networks and trusted (lists of "10.77.0.0/24"), run_dir,
-- table_file, connections (of a worker).
function M.read(path)
  local file, err = io.open(path, "r")
  if not file then
    error("read the router's settings: " .. err)
  end
  local text = file:read("*a")
  file:close()
  local held, parse_err = cjson.decode(text)
  if not held then
    error("parse the router's settings " .. path .. ": " .. parse_err)
  end
  for name, value in pairs(held) do
    M[name] = value
  end
end

return M
