-- The debugger for nvim-dap: `require("bmc.dap").setup()`.

local M = {}

--- A configuration that debugs one test.
function M.test(name, folder)
  return { type = "bmc", request = "launch", name = "Debug a test", test = name, cwd = folder, stopOnEntry = true }
end

function M.setup()
  local dap = require("dap")
  dap.adapters.bmc = { type = "executable", command = "bmc", args = { "dap" } }
  dap.configurations.bmc = {
    M.test(function()
      return vim.fn.input("test: ")
    end, "${workspaceFolder}"),
    {
      type = "bmc",
      request = "launch",
      name = "Debug a transaction of a node",
      txid = function()
        return vim.fn.input("txid: ")
      end,
      cwd = "${workspaceFolder}",
      stopOnEntry = true,
    },
  }
end

return M
