-- :checkhealth midflight

local M = {}
local health = vim.health or require("health")
local start = health.start or health.report_start
local ok = health.ok or health.report_ok
local warn = health.warn or health.report_warn
local failed = health.error or health.report_error

function M.check()
  local bridge = require("midflight.bridge")
  start("midflight")
  if vim.fn.has("nvim-0.7") == 1 then
    ok("Neovim is 0.7 or later")
  else
    failed("Neovim is older than 0.7", { "Install a newer Neovim" })
  end
  local python = bridge.python()
  if not python then
    failed("no Python has Midflight (tried: " .. table.concat(bridge.candidates(), ", ") .. ")", {
      "Install it in the project's .venv: python -m pip install midflight",
      "Or set g:midflight_python to the Python that has it",
    })
    return
  end
  ok("the bridge runs with " .. python)
  local text = vim.fn.system({ python, "-m", "midflight.cli", "doctor" })
  if vim.v.shell_error == 0 then
    ok("midflight doctor says:\n" .. text)
  else
    warn("midflight doctor says:\n" .. text)
  end
end

return M
