-- Neovim with the plugin of this repository: opens a contract, and asks the server what an author asks.
-- `nvim --clean --headless -l editor.lua PLUGIN FOLDER [PARSER]`; `bmc` is on the path.

local plugin, folder, parser = _G.arg[1], _G.arg[2], _G.arg[3]

local function check(holds, what)
  if not holds then
    error(what, 2)
  end
end

--- Waits until something holds, and returns it.
local function eventually(what, look)
  local found
  vim.wait(20000, function()
    found = look()
    return found and true or false
  end, 20)
  check(found, "it never came: " .. what)
  return found
end

vim.opt.runtimepath:prepend(plugin)
vim.opt.swapfile = false
vim.cmd("filetype plugin on | syntax on")
vim.cmd.source(plugin .. "/ftdetect/bmc.lua")
vim.cmd.source(plugin .. "/plugin/bmc.lua")
if parser then
  vim.treesitter.language.add("bmc", { path = parser })
end

vim.cmd.edit(folder .. "/htlc.bmc")
local buffer = vim.api.nvim_get_current_buf()
check(vim.bo.filetype == "bmc", "the file type is " .. vim.bo.filetype)
local client = eventually("the client", function()
  return vim.lsp.get_clients({ bufnr = buffer, name = "bmc" })[1]
end)
eventually("the server's answer", function()
  return client.initialized
end)
check(client.root_dir == vim.uv.fs_realpath(folder), "the root is " .. tostring(client.root_dir))
local lines = vim.api.nvim_buf_get_lines(buffer, 0, -1, false)
local text = table.concat(lines, "\n")

--- The row, from 0, and the byte of the nth line's `word`.
local function find(word, nth)
  local seen = 0
  for row, line in ipairs(lines) do
    local column = line:find(word, 1, true)
    if column then
      seen = seen + 1
      if seen == (nth or 1) then
        return row - 1, column - 1
      end
    end
  end
  error("no `" .. word .. "`")
end

local function ask(method, word, nth, more)
  local row, column = find(word, nth)
  vim.api.nvim_win_set_cursor(0, { row + 1, column + 1 })
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  local answer = client:request_sync(method, vim.tbl_extend("force", params, more or {}), 20000, buffer)
  check(answer and not answer.err, method .. ": " .. vim.inspect(answer))
  return answer.result
end

-- Hover.
local hover = ask("textDocument/hover", "digest, \"")
check(hover.contents.value:find("Hash256", 1, true), vim.inspect(hover))

-- Diagnostics, pushed or pulled, as Neovim shows them.
local function count()
  return #vim.diagnostic.get(buffer)
end
vim.wait(1500, function()
  return count() > 0
end)
check(count() == 0, "a sound file has " .. vim.inspect(vim.diagnostic.get(buffer)))
local row = find("digest, \"")
vim.api.nvim_buf_set_lines(buffer, row, row + 1, false, { (lines[row + 1]:gsub("digest", "digets")) })
eventually("a diagnostic", function()
  return count() > 0
end)
check(vim.diagnostic.get(buffer)[1].lnum == row, vim.inspect(vim.diagnostic.get(buffer)))
check(vim.diagnostic.get(buffer)[1].source ~= nil, "a diagnostic without a source")
local pulled = client:request_sync("textDocument/diagnostic", { textDocument = { uri = vim.uri_from_bufnr(buffer) } }, 20000, buffer)
check(pulled.result.kind == "full" and #pulled.result.items > 0, vim.inspect(pulled))
vim.api.nvim_buf_set_lines(buffer, row, row + 1, false, { lines[row + 1] })
eventually("no diagnostic", function()
  return count() == 0
end)

-- Semantic tokens, as Neovim keeps them.
vim.lsp.semantic_tokens.force_refresh(buffer)
local token_row, token_column = find("digest, \"")
eventually("semantic tokens", function()
  local found = vim.lsp.semantic_tokens.get_at_pos(buffer, token_row, token_column + 1)
  return found and found[1] and found[1].type == "parameter"
end)

-- Rename.
ask("textDocument/prepareRename", "secret: Bytes")
local edit = ask("textDocument/rename", "secret: Bytes", 1, { newName = "preimage" })
vim.lsp.util.apply_workspace_edit(edit, client.offset_encoding)
local now = table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), "\n")
check(select(2, now:gsub("preimage", "")) >= 2, now)
vim.cmd.undo()

-- Format.
vim.api.nvim_buf_set_lines(buffer, 0, -1, false, vim.split((text:gsub("\n    ", "\n  ")), "\n"))
vim.lsp.buf.format({ async = false, timeout_ms = 20000 })
check(table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), "\n") == text, "the file is not as `bmc fmt` writes it")

-- What lenses and commands do: the server expands and measures the text as it is, and `bmc` runs on what is written for it.
local function shown(wanted)
  local found = eventually(wanted, function()
    local now = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n")
    return now:find(wanted, 1, true) and now
  end)
  vim.cmd("bwipeout!")
  return found
end
local on_disk = table.concat(vim.fn.readfile(folder .. "/htlc.bmc"), "\n")
vim.api.nvim_buf_set_lines(buffer, -1, -1, false, {
  "reward Halves { a: 1/2, b: rest, minimum: 20_000 sats, fee: up to 1_000 sats, }",
})
vim.cmd("BmcExpand Halves")
check(not shown("contract Halves("):find("contract Htlc", 1, true), "more is expanded than was asked for")
vim.cmd("BmcCost Halves")
shown("Halves: ")
check(table.concat(vim.fn.readfile(folder .. "/htlc.bmc"), "\n") == on_disk, "what only the server is asked writes nothing")
vim.api.nvim_buf_set_lines(buffer, -2, -1, false, {})
vim.cmd("BmcCost")
local cost = shown("Htlc: ")
check(cost:find("claim", 1, true) and cost:find("htlc.bmc:", 1, true), cost)
vim.api.nvim_buf_set_lines(buffer, -1, -1, false, { "// the end" })
-- Of two tests with one name, the one in the file of the lens is run.
vim.fn.mkdir(folder .. "/inner", "p")
local tests = table.concat(vim.fn.readfile(folder .. "/tests.bmc"), "\n")
vim.fn.writefile(vim.split((tests:gsub("use %./htlc", "use ../htlc")), "\n"), folder .. "/inner/tests.bmc")
local name = "whoever_shows_the_secret_is_paid"
local about = { uri = vim.uri_from_fname(folder .. "/inner/tests.bmc"), name = name }
vim.lsp.commands["bmc.runTest"]({ arguments = { about } }, { bufnr = buffer })
local ran = shown("1 test passed")
check(ran:find("inner/tests::" .. name, 1, true), ran)
vim.fn.delete(folder .. "/inner", "rf")
check(not vim.bo[buffer].modified, "a test runs on what was not written")
vim.api.nvim_buf_set_lines(buffer, -2, -1, false, {})
vim.cmd("silent write")

-- The tree and its queries.
if parser then
  check(vim.treesitter.highlighter.active[buffer], "no colours by the tree")
  local tree = vim.treesitter.get_parser(buffer, "bmc"):parse()[1]
  check(not tree:root():has_error(), tree:root():sexpr())
  for _, name in ipairs({ "highlights", "folds", "indents", "injections", "locals", "textobjects" }) do
    check(vim.treesitter.query.get("bmc", name), "no query " .. name)
  end
  local captures = vim.treesitter.get_captures_at_pos(buffer, token_row, token_column)
  check(#captures > 0, "nothing is captured")
end

print(("%s: %d bytes, %d tests of the editor's own"):format("Neovim " .. tostring(vim.version()), #text, 7))
client:stop()
vim.wait(5000, function()
  return client:is_stopped()
end, 20)
vim.cmd("qall!")
