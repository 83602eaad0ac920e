-- The shell's buffer: a prompt buffer, the server's prompt in its last line, all output above that.

local bridge = require("midflight.bridge")

local M = {}
local shells = {} -- by root: buffer, prompt, and is_open: the last line above the prompt has no newline yet

local function shell_of(root)
  local shell = shells[root]
  if shell and vim.api.nvim_buf_is_valid(shell.buffer) then
    return shell
  end
  local buffer = vim.api.nvim_create_buf(true, true)
  shell = { buffer = buffer, prompt = "", is_open = false }
  shells[root] = shell
  vim.api.nvim_buf_set_name(buffer, "midflight-shell://" .. root)
  vim.b[buffer].midflight_root = root
  vim.bo[buffer].buftype = "prompt"
  vim.bo[buffer].bufhidden = "hide"
  vim.bo[buffer].filetype = "midflight-shell"
  vim.fn.prompt_setprompt(buffer, "")
  vim.fn.prompt_setcallback(buffer, function(line)
    M.prompt(root, "") -- until the server answers
    bridge.notify("type", root, { text = line })
  end)
  vim.fn.prompt_setinterrupt(buffer, function()
    bridge.notify("interrupt", root)
  end)
  return shell
end

local function last_line(shell)
  return vim.api.nvim_buf_get_lines(shell.buffer, -2, -1, false)[1] or ""
end

local function windows(shell)
  return vim.fn.win_findbuf(shell.buffer)
end

--- Say whether the shell of `root` can be seen.
function M.is_visible(root)
  return shells[root] ~= nil and #windows(shells[root]) > 0
end

--- Show the shell of `root` and go to its prompt.
function M.open(root)
  local shell = shell_of(root)
  local window = vim.fn.bufwinid(shell.buffer)
  if window == -1 then
    vim.cmd("botright split")
    vim.api.nvim_win_set_buf(0, shell.buffer)
  else
    vim.api.nvim_set_current_win(window)
  end
  vim.cmd("normal! G")
  vim.cmd("startinsert!")
end

--- Put `text` above the prompt.
function M.insert(root, text)
  if text == "" then
    return
  end
  local shell = shell_of(root)
  local lines = vim.split(text, "\n")
  local ends = table.remove(lines) -- what follows the last newline
  local at = vim.api.nvim_buf_line_count(shell.buffer) - 1
  if ends ~= "" then
    table.insert(lines, ends)
  end
  local first = at
  if shell.is_open and at > 0 then
    first = at - 1
    lines[1] = vim.api.nvim_buf_get_lines(shell.buffer, first, at, false)[1] .. (lines[1] or "")
  end
  vim.api.nvim_buf_set_lines(shell.buffer, first, at, false, lines)
  shell.is_open = ends ~= ""
end

--- Let what is inserted next begin a line of its own.
function M.end_line(root)
  shell_of(root).is_open = false
end

--- Make `prompt` the one before the cursor; what was typed meanwhile stays behind it.
function M.prompt(root, prompt)
  local shell = shell_of(root)
  local line = last_line(shell)
  local typed = vim.startswith(line, shell.prompt) and line:sub(#shell.prompt + 1) or line
  local last = vim.api.nvim_buf_line_count(shell.buffer)
  local columns = {}
  for _, window in ipairs(windows(shell)) do
    local at = vim.api.nvim_win_get_cursor(window)
    if at[1] == last then
      columns[window] = math.max(0, at[2] + #prompt - (#line - #typed))
    end
  end
  shell.prompt = prompt
  vim.fn.prompt_setprompt(shell.buffer, prompt)
  vim.api.nvim_buf_set_lines(shell.buffer, -2, -1, false, { prompt .. typed })
  for window, column in pairs(columns) do
    vim.api.nvim_win_set_cursor(window, { last, column })
  end
end

--- Show `text`, which a command evaluates, as if it were typed at the prompt.
function M.input(root, text)
  local shell = shell_of(root)
  local lines = vim.split(text, "\n")
  lines[1] = shell.prompt .. lines[1]
  M.end_line(root)
  M.insert(root, table.concat(lines, "\n") .. "\n")
end

return M
