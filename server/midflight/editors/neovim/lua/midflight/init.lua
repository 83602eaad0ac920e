-- What the commands call, and what the bridge calls. Requests go out with a path, which says whose project is meant.

local bridge = require("midflight.bridge")
local display = require("midflight.display")
local lists = require("midflight.lists")
local look = require("midflight.look")
local shell = require("midflight.shell")

local M = {}

-- The path that says which project is meant: the buffer's file, else that of the shell or page it belongs to, else
-- the current folder.
local function path_of(buffer)
  if vim.b[buffer].midflight_root then
    return vim.b[buffer].midflight_root
  end
  local name = vim.api.nvim_buf_get_name(buffer)
  if name ~= "" and vim.bo[buffer].buftype == "" then
    return vim.fn.fnamemodify(name, ":p")
  end
  return vim.fn.getcwd()
end

local function notify(name, values)
  bridge.notify(name, path_of(0), values)
end

--- Load the current buffer, saved or not.
function M.load(force)
  local buffer = vim.api.nvim_get_current_buf()
  if vim.api.nvim_buf_get_name(buffer) == "" or vim.bo[buffer].buftype ~= "" then
    display.message("Midflight: this buffer has no file, so it is no module; nothing was loaded", "error")
    return
  end
  local text = table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), "\n") .. "\n"
  notify("load", { buffer = buffer, text = text, options = force and { force = true } or nil })
end

--- Show the shell of the current buffer's project.
function M.open_shell()
  local path = path_of(0)
  local root = bridge.root(path)
  if root then
    shell.open(root)
    bridge.notify("open_shell", path)
  end
end

--- Evaluate `text` in the shell of the current buffer's project.
function M.evaluate(text)
  notify("evaluate", { text = text })
end

function M.interrupt()
  notify("interrupt")
end

function M.processes()
  notify("processes")
end

--- Send the process `pid`, a pid or a name, an exit signal; kill if `reason` is empty.
function M.exit(pid, reason)
  notify("exit", { pid = pid, reason = reason ~= "" and reason or "kill" })
end

--- Let go on what all processes wait for: `pid`, or whichever stands if it is empty.
function M.continue(pid)
  notify("continue", { pid = pid ~= "" and pid or nil })
end

-- The module named, else that of the current buffer; without one say so and return nil.
local function module_or_own(module)
  module = module ~= "" and module or vim.b.midflight_module
  if not module then
    display.message("Midflight: this buffer was not loaded; load it, or name a module", "error")
  end
  return module
end

function M.versions(module)
  module = module_or_own(module)
  if module then
    notify("versions", { module = module })
  end
end

--- Make functions of older versions of `module` that others hold the current ones.
function M.forward(module)
  module = module_or_own(module)
  if module then
    notify("forward", { module = module })
  end
end

--- Bring back the value of the variable `name` that a load of this buffer left behind.
function M.recover(name)
  local module = module_or_own("")
  if module then
    notify("recover", { module = module, name = name })
  end
end

function M.applications()
  notify("applications")
end

function M.crashes()
  notify("crashes")
end

--- List the states of durable servers in the store.
function M.durable()
  notify("stored")
end

--- Trace a process, by pid or name; with `ends` end the trace.
function M.trace(pid, ends)
  if ends then
    notify("end_trace")
  elseif pid == "" then
    display.message("Midflight: name the process to trace, by pid or name; nothing is traced", "error")
  else
    notify("trace", { pid = pid })
  end
end

function M.diff(version)
  local module = module_or_own("")
  if module then
    notify("diff", { module = module, version = version })
  end
end

--- Load the text of an earlier version of the buffer's module again, the one before unless `version` is given.
function M.rollback(version)
  local module = module_or_own("")
  if module then
    notify("rollback", { module = module, version = version })
  end
end

--- What 'statusline' may show: the module's version that this buffer was loaded as, and whether its text differs now.
function M.statusline()
  local loaded = vim.b.midflight_loaded
  if not loaded then
    return ""
  end
  local differs = vim.api.nvim_buf_get_changedtick(0) ~= loaded.tick and "+" or ""
  return loaded.module .. " v" .. loaded.version .. differs
end

function M.report()
  if not vim.b.midflight_report then
    display.message("Midflight: this buffer was not loaded, so there is no report of it", "error")
    return
  end
  display.page("report", vim.b.midflight_report, bridge.root(path_of(0)))
end

function M.quit(stop_server)
  notify("leave", { stop_server = stop_server })
end

--- Say whether a server may be started for the project `root`.
function M.may_start(root)
  local policy = vim.g.midflight_auto_start or "ask"
  if policy == "ask" then
    if #vim.api.nvim_list_uis() == 0 then
      return false -- nobody to ask, and confirm() would say yes
    end
    return vim.fn.confirm("No Midflight server runs for " .. root .. ". Start one?", "&Yes\n&No", 1) == 1
  end
  return policy == "always" or policy == true or policy == 1
end

-- Ask the person for a line that a process waits for; Esc and Ctrl-C break off its wait.
local function ask(values)
  local answer = { id = values.id, kind = values.kind, session = values.session }
  local read = values.secret and vim.fn.inputsecret or vim.fn.input
  local given = { prompt = values.prompt ~= "" and values.prompt or "> " }
  if not values.secret then
    given.cancelreturn = "\1"
  end
  local ok, line = pcall(read, given)
  if ok and line ~= "\1" then
    answer.line = line
  else
    answer.broken_off = true
  end
  bridge.notify("answer", values.root, answer)
end

local events = {
  question = function(values)
    vim.schedule(function() -- not while the bridge waits for this to be shown
      ask(values)
    end)
  end,
  loaded = display.loaded,
  holders = display.holders,
  message = function(values)
    display.message(values.text, values.level)
  end,
  page = lists.page,
  traced = lists.traced,
  float = look.float,
  jump = look.jump,
  places = look.places,
  value = look.show_value,
  crash = function(values)
    display.line(values.text, "error")
    shell.end_line(values.root)
    shell.insert(values.root, values.text .. "\n")
  end,
  shell = function(values)
    shell.insert(values.root, values.text)
  end,
  input = function(values)
    shell.input(values.root, values.text)
  end,
  output = function(values)
    shell.insert(values.root, values.text)
  end,
  busy = function(values)
    shell.prompt(values.root, "")
  end,
  prompt = function(values)
    shell.end_line(values.root)
    shell.insert(values.root, values.text)
    shell.prompt(values.root, values.prompt)
    if not shell.is_visible(values.root) and values.text ~= "" then
      local lines = vim.split(vim.trim(values.text), "\n")
      display.line(lines[#lines], values.failed and "error" or "info")
    end
  end,
}

--- Show what the bridge says. Unknown events of a newer server are passed over.
function M.receive(event, values)
  if events[event] then
    events[event](values)
  end
end

return M
