-- What the lenses of the language server and the commands of this plugin do: `bmc` in a terminal, or what the server says in
-- a buffer beside.

local M = {}

--- What a command is about: its arguments, as one table or one by one, or else the buffer.
function M.place(arguments, buffer)
  local texts, named = {}, {}
  for _, argument in ipairs(arguments) do
    if type(argument) == "table" then
      named = vim.tbl_extend("force", named, argument)
    else
      table.insert(texts, argument)
    end
  end
  local file = named.uri or named.path or named.file or texts[1] or vim.api.nvim_buf_get_name(buffer or 0)
  if file:match("^file:") then
    file = vim.uri_to_fname(file)
  end
  return { file = file, name = named.name or named.test or named.contract or texts[2] }
end

--- The folder of the package, or else of the file.
local function root(file)
  return vim.fs.root(file, "bmc.toml") or vim.fs.dirname(file)
end

--- The name by which `bmc` knows a test in the folder of its package: the path of the file from there, and the name. A name
--- that was typed may be of another file, or a part of one.
local function full_name(place)
  if place.typed then
    return place.name
  elseif place.name then
    local inside = vim.fs.relpath(root(place.file), place.file) or vim.fs.basename(place.file)
    return inside:gsub("%.bmc$", "") .. "::" .. place.name
  end
end

--- Writes what has been edited: `bmc` sees what is on the disk.
local function written()
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    local options = vim.bo[buffer]
    if options.filetype == "bmc" and options.buftype == "" and options.modified and vim.api.nvim_buf_get_name(buffer) ~= "" then
      vim.api.nvim_buf_call(buffer, function()
        vim.cmd("silent update")
      end)
    end
  end
end

local function terminal(place, words)
  written()
  vim.cmd("botright 16new")
  vim.fn.jobstart(words, { term = true, cwd = root(place.file) })
  vim.cmd("startinsert")
end

function M.runTest(place)
  terminal(place, vim.list_extend({ "bmc", "test" }, { full_name(place) }))
end

function M.debug(place)
  local found, dap = pcall(require, "dap")
  if found then
    written()
    dap.run(require("bmc.dap").test(full_name(place), root(place.file)))
  else
    terminal(place, { "bmc", "debug", "--test", full_name(place) or "" })
  end
end

--- Leaves the command in the command line: the values of the parameters are the author's to say.
function M.deploy(place)
  -- `:!` would read `%`, `#` and `!` in its own way.
  local words = { "bmc", "deploy", vim.fn.shellescape(place.file, true) }
  if place.name then
    vim.list_extend(words, { "--contract", place.name })
  end
  vim.api.nvim_feedkeys(":!" .. table.concat(words, " ") .. " ", "n", false)
end

local function beside(name, filetype, text)
  vim.cmd("botright vnew")
  vim.bo.buftype, vim.bo.bufhidden, vim.bo.swapfile = "nofile", "wipe", false
  vim.api.nvim_buf_set_name(0, ("%s [%d]"):format(name, vim.api.nvim_get_current_buf()))
  vim.api.nvim_buf_set_lines(0, 0, -1, false, vim.split(text, "\n"))
  vim.bo.filetype, vim.bo.modifiable = filetype, false
end

local function printed(place, words, filetype)
  written()
  local ran = vim.system(words, { cwd = root(place.file), text = true }):wait()
  beside(table.concat(words, " "), filetype, ran.stdout ~= "" and ran.stdout or ran.stderr)
end

--- Lets the server carry out a command about a file; `action` gets the answer, or nothing if no server says anything.
local function ask(command, place, action)
  for _, client in ipairs(vim.lsp.get_clients({ name = "bmc" })) do
    for buffer in pairs(client.attached_buffers) do
      if vim.api.nvim_buf_get_name(buffer) == place.file then
        local about = { uri = vim.uri_from_bufnr(buffer), name = place.name }
        client:request("workspace/executeCommand", { command = command, arguments = { about } }, function(_, answer)
          action(answer)
        end, buffer)
        return
      end
    end
  end
  action(nil)
end

function M.expand(place)
  ask("bmc.expand", place, function(text)
    if type(text) == "string" then
      beside("bmc expand " .. place.file, "bmc", text)
    else
      printed(place, { "bmc", "expand", place.file }, "bmc")
    end
  end)
end

--- What the server has measured of a file, once it knows everything; nothing if it does not come to that.
local function measured(place, tries, action)
  ask("bmc.cost", { file = place.file }, function(known)
    if type(known) ~= "table" then
      action(nil)
    elseif known.complete then
      action(known.contracts)
    elseif tries > 1 then
      vim.defer_fn(function()
        measured(place, tries - 1, action)
      end, 250)
    else
      action(nil)
    end
  end)
end

--- The sizes of a contract as `bmc size` prints them.
local function sizes_of(contract, folder)
  local lines = { ("%s: %s bytes"):format(contract.contract, contract.script) }
  local function add(...)
    table.insert(lines, ("%-24s %8s %14s %12s"):format(...))
  end
  add("path", "input", "cost at most", "limit")
  for _, path in ipairs(contract.paths) do
    local cost = type(path.cost) == "number" and path.cost or "without bound"
    add(path.path, path.input .. (path.open and "+" or ""), cost, path.limit)
  end
  table.insert(lines, ("%5s %12s  line"):format("bytes", "cost"))
  for _, line in ipairs(contract.lines) do
    if line.bytes > 0 then
      local cost = type(line.cost) == "number" and line.cost or "?"
      local file = vim.fs.relpath(folder, line.file) or line.file
      table.insert(lines, ("%5s %12s  %s:%s %s"):format(line.bytes, cost, file, line.line, line.text))
    end
  end
  return table.concat(lines, "\n")
end

--- Shows what the contract of this name takes, or all of the file.
function M.showCost(place)
  measured(place, 12, function(contracts)
    if not contracts then
      return printed(place, vim.list_extend({ "bmc", "size", place.file }, place.name and { "--contract", place.name } or {}), "text")
    end
    local found = vim.tbl_filter(function(contract)
      return contract.contract == place.name
    end, contracts)
    local texts = vim.tbl_map(function(contract)
      return sizes_of(contract, root(place.file))
    end, #found > 0 and found or contracts)
    beside("bmc size " .. place.file, "text", #texts > 0 and table.concat(texts, "\n\n") or "no contract here")
  end)
end

return M
