-- What the lenses of the language server and the commands of this plugin do: `bmc` in a terminal or a buffer beside.

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

--- The name by which `bmc test` knows a test.
local function full_name(place)
  return place.name and vim.fs.basename(place.file):gsub("%.bmc$", "") .. "::" .. place.name
end

local function terminal(place, words)
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
    dap.run(require("bmc.dap").test(full_name(place), root(place.file)))
  else
    terminal(place, { "bmc", "debug", "--test", full_name(place) or "" })
  end
end

--- Leaves the command in the command line: the values of the parameters are the author's to say.
function M.deploy(place)
  local words = { "bmc", "deploy", vim.fn.shellescape(place.file) }
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
  local ran = vim.system(words, { cwd = root(place.file), text = true }):wait()
  beside(table.concat(words, " "), filetype, ran.stdout ~= "" and ran.stdout or ran.stderr)
end

function M.expand(place)
  printed(place, { "bmc", "expand", place.file }, "bmc")
end

function M.showCost(place)
  printed(place, vim.list_extend({ "bmc", "size", place.file }, place.name and { "--contract", place.name } or {}), "text")
end

return M
