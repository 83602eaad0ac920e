-- The keys in pages of processes, versions, crashes and states, and a state that is edited and written back.

local bridge = require("midflight.bridge")
local display = require("midflight.display")

local M = {}

-- Ask the bridge about the project of the current page.
local function ask(request, values)
  bridge.notify(request, vim.b.midflight_root, values)
end

local function first_word()
  return vim.api.nvim_get_current_line():match("^(%S+)")
end

-- Return a function that calls `act` with the pid of the line, or with the one that the page is about.
local function on_process(act)
  return function()
    local pid = first_word()
    pid = pid and pid:match("^<[%d.]+>") or vim.api.nvim_buf_get_name(0):match("<[%d.]+>$")
    if pid then
      act(pid)
    else
      display.message("Midflight: the line is none of a process", "info")
    end
  end
end

local function on_version(act)
  return function()
    local version = (first_word() or ""):match("^v(%d+)$")
    if version then
      act(tonumber(version), vim.b.midflight_page.module)
    else
      display.message("Midflight: the line is none of a version", "info")
    end
  end
end

local function on_application(act)
  return function()
    local name = first_word()
    if name and name ~= "Application" then
      act(name)
    else
      display.message("Midflight: the line is none of an application", "info")
    end
  end
end

local function on_crash(act)
  return function()
    local number = tonumber((first_word() or ""):match("^%d+$")) or tonumber(vim.api.nvim_buf_get_name(0):match("crash (%d+)$"))
    if number then
      act(number)
    else
      display.message("Midflight: the line is none of a crash", "info")
    end
  end
end

-- Return a function that calls `act` with what the line stands for in a page with `rows`, and with the page.
local function on_row(act)
  return function()
    local page = vim.b.midflight_page
    local row = (page.rows or {})[vim.fn.line(".") - 1]
    if row then
      act(row, page)
    else
      display.message("Midflight: the line is none of a state", "info")
    end
  end
end

local function is_sure(question)
  return vim.fn.confirm(question, "&Yes\n&No", 2) == 1
end

local process_keys = {
  ["<CR>"] = { "look into the process", on_process(function(pid)
    ask("view", { pid = pid })
  end) },
  s = { "its state, to be edited", on_process(function(pid)
    ask("state", { pid = pid })
  end) },
  m = { "move it to the current version", on_process(function(pid)
    ask("move", { pid = pid })
  end) },
  t = { "trace it", on_process(function(pid)
    ask("trace", { pid = pid })
  end) },
  x = { "send it a message", on_process(function(pid)
    local expression = vim.fn.input("Send " .. pid .. " the value of: ")
    if expression ~= "" then
      ask("send", { pid = pid, expression = expression })
    end
  end) },
  K = { "kill it", on_process(function(pid)
    if is_sure("Kill " .. pid .. "?") then
      ask("exit", { pid = pid, reason = "kill" })
    end
  end) },
}

local keys = {
  processes = vim.tbl_extend("error", process_keys, {
    r = { "show the list anew", function()
      ask("processes")
    end },
  }),
  process = process_keys,
  versions = {
    ["<CR>"] = { "its text", on_version(function(version, module)
      ask("source", { module = module, version = version })
    end) },
    d = { "how it differs from the current one", on_version(function(version, module)
      ask("diff", { module = module, version = version })
    end) },
    R = { "load its text again", on_version(function(version, module)
      if is_sure("Load version " .. version .. " of " .. module .. " again?") then
        ask("rollback", { module = module, version = version })
      end
    end) },
    P = { "end who runs old versions", function()
      local module = vim.b.midflight_page.module
      if is_sure("Kill the processes in old versions of " .. module .. "?") then
        ask("purge", { module = module })
      end
    end },
    r = { "show the list anew", function()
      ask("versions", { module = vim.b.midflight_page.module })
    end },
  },
  crashes = {
    ["<CR>"] = { "the whole crash", on_crash(function(number)
      ask("crash", { number = number })
    end) },
    R = { "start its process again with its state", on_crash(function(number)
      ask("restart", { number = number })
    end) },
    d = { "forget it", on_crash(function(number)
      ask("dismiss", { number = number })
    end) },
    r = { "show the list anew", function()
      ask("crashes")
    end },
  },
  applications = {
    s = { "start it, and before it all that it needs", on_application(function(name)
      ask("start_application", { name = name })
    end) },
    x = { "stop it", on_application(function(name)
      if is_sure("Stop the application " .. name .. "?") then
        ask("stop_application", { name = name })
      end
    end) },
    r = { "show the list anew", function()
      ask("applications")
    end },
  },
  stored = {
    ["<CR>"] = { "look into the state", on_row(function(name)
      ask("look_stored", { name = name })
    end) },
    e = { "edit the state of a live one", on_row(function(name)
      ask("state", { pid = name })
    end) },
    h = { "its earlier states", on_row(function(name)
      ask("earlier", { name = name })
    end) },
    d = { "delete the state", on_row(function(name)
      if is_sure("Delete the state of " .. name .. ", so that it starts by init?") then
        ask("delete_stored", { name = name })
      end
    end) },
    r = { "show the list anew", function()
      ask("stored")
    end },
  },
  earlier = {
    ["<CR>"] = { "look into the state", on_row(function(number, page)
      ask("look_stored", { name = page.module, number = number })
    end) },
    R = { "give it to the server", on_row(function(number, page)
      if is_sure("Give " .. page.module .. " its earlier state " .. number .. "?") then
        ask("restore", { name = page.module, number = number })
      end
    end) },
  },
  crash = {
    R = { "start its process again with its state", on_crash(function(number)
      ask("restart", { number = number })
    end) },
  },
}

local function show_keys(kind)
  local lines = {}
  for key, what in pairs(keys[kind]) do
    table.insert(lines, string.format("%-5s %s", key, what[1]))
  end
  table.sort(lines)
  table.insert(lines, "q     close the window")
  vim.lsp.util.open_floating_preview(lines, "text", { border = "single" })
end

-- Let `:w` in the page of a state put what was edited into the server.
local function edit_state(buffer, page)
  vim.bo[buffer].buftype = "acwrite"
  vim.bo[buffer].modifiable = true
  vim.bo[buffer].modified = false
  local base = page.text
  vim.api.nvim_create_autocmd("BufWriteCmd", {
    group = vim.api.nvim_create_augroup("midflight-state-" .. buffer, {}),
    buffer = buffer,
    callback = function()
      local text = table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), "\n") .. "\n"
      bridge.notify("put_state", page.root, { pid = page.pid, text = text, base = base })
      vim.bo[buffer].modified = false
    end,
  })
end

--- Show a page and give it the keys of its kind; g? names them.
function M.page(page)
  local buffer = display.page(page.name, page.text, page.root)
  vim.b[buffer].midflight_page = { kind = page.kind, module = page.module, rows = page.rows }
  if page.filetype then
    vim.bo[buffer].filetype = page.filetype
  end
  if page.kind == "state" then
    edit_state(buffer, page)
  end
  for key, what in pairs(keys[page.kind] or {}) do
    vim.keymap.set("n", key, what[2], { buffer = buffer, desc = "Midflight: " .. what[1], nowait = true })
  end
  if keys[page.kind] then
    vim.keymap.set("n", "g?", function()
      show_keys(page.kind)
    end, { buffer = buffer, desc = "Midflight: the keys of this page" })
  end
end

--- Add the lines of traced events to the page of the trace, and follow them where its end is seen.
function M.traced(given)
  local buffer = display.page_buffer("trace", given.root)
  if not buffer then
    return
  end
  local last = vim.api.nvim_buf_line_count(buffer)
  vim.bo[buffer].modifiable = true
  vim.api.nvim_buf_set_lines(buffer, -1, -1, false, given.lines)
  vim.bo[buffer].modifiable = false
  for _, window in ipairs(vim.fn.win_findbuf(buffer)) do
    if vim.api.nvim_win_get_cursor(window)[1] == last then
      vim.api.nvim_win_set_cursor(window, { vim.api.nvim_buf_line_count(buffer), 0 })
    end
  end
end

return M
