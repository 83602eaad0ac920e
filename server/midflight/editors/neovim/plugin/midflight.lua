-- Commands and the mapping. Nothing else is loaded, and no process started, before one of them is used.

if vim.g.loaded_midflight then
  return
end
vim.g.loaded_midflight = 1

local function command(name, run, options)
  vim.api.nvim_create_user_command(name, run, options)
end

command("MidflightLoad", function(given)
  require("midflight").load(given.bang)
end, { bang = true, desc = "Load this buffer into the running system (!: though a check refuses it)" })

command("MidflightShell", function(given)
  if given.range > 0 then
    local lines = vim.api.nvim_buf_get_lines(0, given.line1 - 1, given.line2, false)
    require("midflight").evaluate(table.concat(lines, "\n"))
  elseif given.args ~= "" then
    require("midflight").evaluate(given.args)
  else
    require("midflight").open_shell()
  end
end, { nargs = "?", range = true, desc = "Open the shell, or evaluate the argument or the lines of the range" })

command("MidflightInterrupt", function()
  require("midflight").interrupt()
end, { desc = "Break off the evaluation that runs" })

command("MidflightProcesses", function()
  require("midflight").processes()
end, { desc = "Show the runtime's processes" })

command("MidflightExit", function(given)
  require("midflight").exit(given.fargs[1], table.concat(given.fargs, " ", 2))
end, { nargs = "+", desc = "End a process, by pid or name; the exit reason is kill unless given" })

command("MidflightVersions", function(given)
  require("midflight").versions(given.args)
end, { nargs = "?", desc = "Show the versions of this buffer's module, or of the one named" })

command("MidflightForward", function(given)
  require("midflight").forward(given.args)
end, { nargs = "?", desc = "Make old functions of this buffer's module that others hold the current ones" })

command("MidflightRecover", function(given)
  require("midflight").recover(given.args)
end, { nargs = 1, desc = "Bring back the value of a variable that a load of this buffer left behind" })

command("MidflightReport", function()
  require("midflight").report()
end, { desc = "Show the whole report of this buffer's last load" })

command("MidflightQuit", function(given)
  require("midflight").quit(given.bang)
end, { bang = true, desc = "Disconnect (!: and end the server)" })

vim.keymap.set("n", "<Plug>(midflight-load)", "<Cmd>MidflightLoad<CR>")

vim.api.nvim_create_autocmd("FileType", {
  group = vim.api.nvim_create_augroup("midflight", {}),
  pattern = "python",
  callback = function(event)
    local wanted = vim.g.midflight_mappings
    if wanted ~= 0 and wanted ~= false then
      vim.keymap.set("n", "<localleader>ck", "<Plug>(midflight-load)", { buffer = event.buf, remap = true })
    end
  end,
})
