-- The language server, as Neovim 0.11 finds it under the name `bmc`.
---@type vim.lsp.Config
return {
  cmd = { "bmc", "lsp" },
  filetypes = { "bmc" },
  root_markers = { "bmc.toml", ".git" },
}
