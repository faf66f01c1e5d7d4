if vim.g.loaded_bmc then
  return
end
vim.g.loaded_bmc = true

if vim.fn.executable("bmc") == 1 then
  vim.lsp.enable("bmc")
end

-- What the lenses of the server call.
local bmc = require("bmc")
for _, name in ipairs({ "runTest", "debug", "deploy", "expand", "showCost" }) do
  vim.lsp.commands["bmc." .. name] = function(command, context)
    bmc[name](bmc.place(command.arguments or {}, context.bufnr))
  end
end

local function command(name, action, desc)
  vim.api.nvim_create_user_command(name, function(options)
    action({ file = vim.api.nvim_buf_get_name(0), name = options.args ~= "" and options.args or nil, typed = true })
  end, { nargs = "?", desc = desc })
end
command("BmcTest", bmc.runTest, "Run the tests of the package, or those with this name")
command("BmcDebug", bmc.debug, "Debug the test with this name")
command("BmcExpand", bmc.expand, "Show the plain contracts of this file")
command("BmcCost", bmc.showCost, "Show what the contracts of this file cost")
