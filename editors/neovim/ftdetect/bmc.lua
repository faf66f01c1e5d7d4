vim.filetype.add({ extension = { bmc = "bmc" } })
