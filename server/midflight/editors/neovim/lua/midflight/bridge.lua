-- The bridge process: found, started when it is first needed, spoken to.

local display = require("midflight.display")

local M = {}
local channel
local said = {}

local function is_file(path)
  return vim.fn.executable(path) == 1
end

-- The Pythons that may have Midflight, best first: the project's, the active one, the one that the plugin is installed
-- in, the one on PATH.
function M.candidates()
  local found = {}
  local function add(path)
    if path and is_file(path) and not vim.tbl_contains(found, path) then
      table.insert(found, path)
    end
  end
  local folder = vim.fn.expand("%:p:h")
  for _, name in ipairs({ ".venv", "venv" }) do
    local venv = vim.fn.finddir(name, folder .. ";")
    add(venv ~= "" and vim.fn.fnamemodify(venv, ":p") .. "bin/python" or nil)
  end
  add(vim.env.VIRTUAL_ENV and vim.env.VIRTUAL_ENV .. "/bin/python")
  local source = debug.getinfo(1, "S").source:sub(2)
  add(source:match("^(.*)/lib/python[^/]*/site%-packages/") and source:match("^(.*)/lib/python") .. "/bin/python")
  add(vim.fn.exepath("python3"))
  return found
end

--- The user's choice, else the first Python that has Midflight; nil if there is none.
function M.python()
  if vim.g.midflight_python then
    return vim.g.midflight_python
  end
  for _, python in ipairs(M.candidates()) do
    vim.fn.system({ python, "-c", "import midflight.editors.neovim" })
    if vim.v.shell_error == 0 then
      return python
    end
  end
end

local function on_exit(_, code)
  channel = nil
  if code ~= 0 then
    display.message("Midflight: the bridge has ended: " .. vim.trim(table.concat(said, "\n")), "error")
  end
end

local function start()
  local python = M.python()
  if not python then
    display.message(
      "Midflight: no Python has it; nothing was sent. Install it in the project's .venv, or set g:midflight_python "
        .. "(tried: " .. table.concat(M.candidates(), ", ") .. ")",
      "error"
    )
    return
  end
  said = {}
  local ok, started = pcall(vim.fn.jobstart,{ python, "-m", "midflight.editors.neovim" }, {
    rpc = true,
    on_exit = on_exit,
    on_stderr = function(_, lines)
      vim.list_extend(said, lines)
      said = vim.list_slice(said, math.max(1, #said - 9))
    end,
  })
  if ok and started > 0 then
    channel = started
  else
    display.message("Midflight: " .. python .. " cannot be run; nothing was sent. Set g:midflight_python", "error")
  end
end

--- Say whether the bridge runs; start it if not.
function M.is_ready()
  if not channel then
    start()
  end
  return channel ~= nil
end

--- Ask the bridge for `name` about the project of `path`.
function M.notify(name, path, values)
  if M.is_ready() then
    vim.rpcnotify(channel, name, path, values or vim.empty_dict())
  end
end

--- Ask the bridge for `name` about the project of `path`, and wait for its answer; nil if the bridge does not run.
function M.request(name, path, values)
  if channel then
    local ok, answer = pcall(vim.rpcrequest, channel, name, path, values)
    return ok and answer or nil
  end
end

--- The root of the project of `path`; nil without a bridge.
function M.root(path)
  return M.is_ready() and vim.rpcrequest(channel, "root", path) or nil
end

return M
