vim.bo.commentstring = "// %s"
vim.bo.comments = ":///,://!,://"
vim.bo.shiftwidth = 4
vim.bo.expandtab = true

-- Colours and folds by the tree, if the parser has been built; README.md says how.
if pcall(vim.treesitter.start) then
  vim.wo[0][0].foldexpr = "v:lua.vim.treesitter.foldexpr()"
  vim.wo[0][0].foldmethod = "expr"
  vim.wo[0][0].foldlevel = 99
end
