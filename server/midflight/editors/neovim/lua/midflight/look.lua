-- What the running system knows of the name at the cursor; evaluation in the buffer's module, its value behind the line.

local bridge = require("midflight.bridge")
local display = require("midflight.display")

local M = {}
local values = vim.api.nvim_create_namespace("midflight-values")

local function file()
  return vim.fn.fnamemodify(vim.api.nvim_buf_get_name(0), ":p")
end

-- The dotted name that the cursor is on, up to the end of the word there; nil if it is on none.
local function name_at_cursor()
  local line, column = vim.api.nvim_get_current_line(), vim.api.nvim_win_get_cursor(0)[2]
  local word_end = line:find("[^%w_]", column + 1) or #line + 1
  local name = line:sub(1, word_end - 1):match("[%a_][%w_%.]*$")
  if not name then
    display.message("Midflight: the cursor is on no name", "info")
  end
  return name
end

-- Ask `request` about `name`, or the name at the cursor.
local function ask(request, name)
  name = name ~= "" and name or name_at_cursor()
  if name then
    bridge.notify(request, file(), { path = file(), expression = name })
  end
end

function M.doc(name)
  ask("doc", name)
end

function M.goto_definition(name)
  ask("goto", name)
end

function M.references(name)
  ask("references", name)
end

--- Evaluate `text` with the names of the buffer's module; the value stands behind line `line`, from 1.
function M.evaluate(text, line)
  local buffer = vim.api.nvim_get_current_buf()
  bridge.notify("evaluate_in", file(), { text = text, buffer = buffer, line = line })
end

--- Evaluate the lines `first` to `last`, from 1.
function M.evaluate_lines(first, last)
  local lines = vim.api.nvim_buf_get_lines(0, first - 1, last, false)
  local indent = lines[1]:match("^%s*")
  for index, line in ipairs(lines) do
    lines[index] = vim.startswith(line, indent) and line:sub(#indent + 1) or line
  end
  M.evaluate(table.concat(lines, "\n"), last)
end

--- Load the definition around the cursor alone.
function M.define()
  local buffer = vim.api.nvim_get_current_buf()
  local text = table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), "\n") .. "\n"
  local line = vim.api.nvim_win_get_cursor(0)[1]
  bridge.notify("define", file(), { buffer = buffer, text = text, line = line })
end

--- Complete from live objects: for 'omnifunc'. Without a connection, or a quick answer, there are no candidates.
function M.omnifunc(find_start, _)
  local line, column = vim.api.nvim_get_current_line(), vim.api.nvim_win_get_cursor(0)[2]
  local before = line:sub(1, column):match("^%s*(.-)$")
  if find_start == 1 then
    M.found = bridge.request("complete", file(), { before = before }) or { written = 0, items = {} }
    return vim.fn.byteidx(line, vim.fn.strchars(line:sub(1, column)) - M.found.written)
  end
  return M.found.items
end

--- Show `given.text`, a value or a traceback, behind its line; the next one, or an edit there, takes it away.
function M.show_value(given)
  if not vim.api.nvim_buf_is_valid(given.buffer) then
    return
  end
  vim.api.nvim_buf_clear_namespace(given.buffer, values, 0, -1)
  local lines = vim.split(given.text, "\n")
  local shown = given.failed and lines[#lines] or lines[1]
  if shown ~= "" and given.line <= vim.api.nvim_buf_line_count(given.buffer) then
    local group = given.failed and "DiagnosticVirtualTextError" or "Comment"
    local more = #lines > 1 and not given.failed and " …" or ""
    vim.api.nvim_buf_set_extmark(given.buffer, values, given.line - 1, 0, {
      virt_text = { { "=> " .. shown .. more, group } },
    })
    vim.api.nvim_buf_attach(given.buffer, false, {
      on_lines = function()
        vim.api.nvim_buf_clear_namespace(given.buffer, values, 0, -1)
        return true -- this was the last time
      end,
    })
  end
  display.line(shown ~= "" and "=> " .. shown or "Midflight: evaluated; it has no value", given.failed and "error" or "info")
end

--- Show documentation in a window at the cursor, which goes when the cursor moves.
function M.float(given)
  local lines = { given.title }
  vim.list_extend(lines, given.lines)
  vim.lsp.util.open_floating_preview(lines, "text", { border = "single", max_width = 100, focus_id = "midflight" })
end

--- Go to a place; CTRL-O comes back.
function M.jump(given)
  vim.cmd("normal! m'")
  if vim.fn.fnamemodify(vim.api.nvim_buf_get_name(0), ":p") ~= given.path then
    vim.cmd("edit " .. vim.fn.fnameescape(given.path))
  end
  local last = vim.api.nvim_buf_line_count(0)
  vim.api.nvim_win_set_cursor(0, { math.min(given.line, last), given.column })
end

--- Show places in the quickfix list.
function M.places(given)
  vim.fn.setqflist({}, " ", { title = given.title, items = given.items })
  vim.cmd("copen")
end

return M
