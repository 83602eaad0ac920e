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

command("MidflightContinue", function(given)
  require("midflight").continue(given.args)
end, { nargs = "?", desc = "Let go on what stands at a breakpoint or asks for a line, in any front end" })

command("MidflightVersions", function(given)
  require("midflight").versions(given.args)
end, { nargs = "?", desc = "Show the versions of this buffer's module, or of the one named" })

command("MidflightDefine", function()
  require("midflight.look").define()
end, { desc = "Load the definition around the cursor alone" })

command("MidflightEval", function(given)
  local look = require("midflight.look")
  if given.args ~= "" then
    look.evaluate(given.args, vim.api.nvim_win_get_cursor(0)[1])
  else
    look.evaluate_lines(given.line1, given.line2)
  end
end, { nargs = "?", range = true, desc = "Evaluate the argument, the line or the range with the names of this module" })

command("MidflightDoc", function(given)
  require("midflight.look").doc(given.args)
end, { nargs = "?", desc = "Show what the name at the cursor, or the one given, is in the running system" })

command("MidflightGoto", function(given)
  require("midflight.look").goto_definition(given.args)
end, { nargs = "?", desc = "Go to the definition of the name at the cursor, or of the one given" })

command("MidflightReferences", function(given)
  require("midflight.look").references(given.args)
end, { nargs = "?", desc = "List the uses of the name at the cursor, or of the one given" })

command("MidflightDiff", function(given)
  require("midflight").diff(tonumber(given.args))
end, { nargs = 1, desc = "Show how a version of this buffer's module differs from the current one" })

command("MidflightRollback", function(given)
  require("midflight").rollback(tonumber(given.args))
end, { nargs = "?", desc = "Load an earlier version of this buffer's module again, the one before unless given" })

command("MidflightCrashes", function()
  require("midflight").crashes()
end, { desc = "Show the crashes; from there, start a process again with its state" })

command("MidflightApplications", function()
  require("midflight").applications()
end, { desc = "List the applications; from there, start and stop them" })
command("MidflightDurable", function()
  require("midflight").durable()
end, { desc = "Show the states of durable servers; from there, give one an earlier state" })

command("MidflightTrace", function(given)
  require("midflight").trace(given.args, given.bang)
end, { nargs = "?", bang = true, desc = "Trace a process, by pid or name (!: end the trace)" })

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

local plugs = {
  load = "MidflightLoad",
  define = "MidflightDefine",
  eval = "MidflightEval",
  doc = "MidflightDoc",
  goto = "MidflightGoto",
  references = "MidflightReferences",
  shell = "MidflightShell",
  processes = "MidflightProcesses",
  versions = "MidflightVersions",
  crashes = "MidflightCrashes",
}
for name, run in pairs(plugs) do
  vim.keymap.set("n", "<Plug>(midflight-" .. name .. ")", "<Cmd>" .. run .. "<CR>")
end
vim.keymap.set("x", "<Plug>(midflight-eval)", ":MidflightEval<CR>")

local mappings = {
  ck = "load",
  cc = "define",
  ce = "eval",
  cd = "doc",
  cg = "goto",
  cr = "references",
  cz = "shell",
  cp = "processes",
  cv = "versions",
  cx = "crashes",
}

vim.api.nvim_create_autocmd("FileType", {
  group = vim.api.nvim_create_augroup("midflight", {}),
  pattern = "python",
  callback = function(event)
    local wanted = vim.g.midflight_mappings
    if wanted ~= 0 and wanted ~= false then
      for keys, name in pairs(mappings) do
        local modes = name == "eval" and { "n", "x" } or "n"
        vim.keymap.set(modes, "<localleader>" .. keys, "<Plug>(midflight-" .. name .. ")", { buffer = event.buf, remap = true })
      end
    end
    if vim.bo[event.buf].omnifunc == "" then
      vim.bo[event.buf].omnifunc = "v:lua.require'midflight.look'.omnifunc"
    end
  end,
})
