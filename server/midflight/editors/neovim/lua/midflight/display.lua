-- Messages, diagnostics and pages of text.

local M = {}
local namespace = vim.api.nvim_create_namespace("midflight")
local severities = {
  error = vim.diagnostic.severity.ERROR,
  warning = vim.diagnostic.severity.WARN,
  note = vim.diagnostic.severity.HINT,
}

--- Show `text` below.
function M.message(text, level)
  vim.api.nvim_echo({ { text, level == "error" and "ErrorMsg" or "None" } }, true, {})
end

--- Show one line of `text` below, cut to what fits: a longer one would have the user press ENTER.
function M.line(text, level)
  local line = vim.split(text, "\n")[1]
  if vim.fn.strdisplaywidth(line) > vim.v.echospace then
    line = vim.fn.strcharpart(line, 0, vim.v.echospace - 1) .. "…"
  end
  M.message(line, level)
end

local function buffer_named(name)
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_get_name(buffer) == name then
      return buffer
    end
  end
end

-- The byte of a column in characters, which is what the server counts.
local function byte_of(buffer, line, column)
  local text = vim.api.nvim_buf_get_lines(buffer, line, line + 1, false)[1] or ""
  return vim.fn.byteidx(text, math.min(column, vim.fn.strchars(text)))
end

local function diagnostic_of(buffer, given)
  local line, end_line = given.line - 1, given.end_line - 1
  return {
    lnum = line,
    col = byte_of(buffer, line, given.column),
    end_lnum = end_line,
    end_col = byte_of(buffer, end_line, given.end_column),
    severity = severities[given.severity],
    message = given.message,
    code = given.code,
    source = "midflight",
  }
end

--- Show the answer of a load: the summary, and diagnostics in the buffers of their files.
function M.loaded(values)
  local found = { [values.buffer] = {} }
  for _, given in ipairs(values.diagnostics) do
    local buffer = given.path == values.path and values.buffer or vim.fn.bufadd(given.path)
    vim.fn.bufload(buffer)
    found[buffer] = found[buffer] or {}
    table.insert(found[buffer], diagnostic_of(buffer, given))
  end
  vim.diagnostic.reset(namespace)
  for buffer, diagnostics in pairs(found) do
    if vim.api.nvim_buf_is_valid(buffer) then
      vim.diagnostic.set(namespace, buffer, diagnostics)
    end
  end
  if vim.api.nvim_buf_is_valid(values.buffer) then
    vim.b[values.buffer].midflight_module = values.module
    vim.b[values.buffer].midflight_report = values.text
    if values.status == "loaded" then
      local tick = vim.api.nvim_buf_get_changedtick(values.buffer)
      vim.b[values.buffer].midflight_loaded = { module = values.module, version = values.version, tick = tick }
      vim.cmd("redrawstatus!")
    end
  end
  M.line(values.summary, values.status == "failed" and "error" or "info")
end

--- Add to the report of a buffer who holds functions of older versions.
function M.holders(values)
  if not vim.api.nvim_buf_is_valid(values.buffer) then
    return
  end
  local title = "Who holds functions of older versions of " .. values.module
  local lines = { vim.b[values.buffer].midflight_report, title }
  for _, line in ipairs(vim.split(vim.trim(values.text), "\n")) do
    table.insert(lines, "  " .. line)
  end
  table.insert(lines, "  :MidflightForward " .. values.module .. " makes them the current ones.")
  vim.b[values.buffer].midflight_report = table.concat(lines, "\n") .. "\n"
  M.line("Midflight: :MidflightReport says who holds functions of older versions of " .. values.module, "info")
end

local function page_name(name, root)
  return "midflight://" .. (root or "") .. "/" .. name
end

--- The buffer of a page that was shown; nil if it was not.
function M.page_buffer(name, root)
  return buffer_named(page_name(name, root))
end

--- Show `text` in a window of its own; the page of that name is shown anew. Return its buffer.
function M.page(name, text, root)
  local full = page_name(name, root)
  local buffer = buffer_named(full)
  if not buffer then
    buffer = vim.api.nvim_create_buf(false, true)
    vim.api.nvim_buf_set_name(buffer, full)
    vim.b[buffer].midflight_root = root
    vim.keymap.set("n", "q", function()
      local window = vim.api.nvim_get_current_win()
      vim.cmd("wincmd p") -- back to where it was asked for
      vim.api.nvim_win_close(window, false)
    end, { buffer = buffer })
  end
  vim.bo[buffer].modifiable = true
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, vim.split(vim.trim(text), "\n"))
  vim.bo[buffer].modifiable = false
  if vim.fn.bufwinid(buffer) == -1 then
    vim.cmd("botright split")
    vim.api.nvim_win_set_buf(0, buffer)
  end
  return buffer
end

return M
