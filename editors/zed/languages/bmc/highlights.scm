; Printed by `cargo xtask gen` from editors/tree-sitter-bmc/queries/highlights.scm: edit that, not this.

; Later patterns win where several fit.

(identifier) @variable

; ---- words

[
  "contract"
  "spend"
  "reward"
  "struct"
  "enum"
  "const"
  "let"
  "require"
  "split"
] @keyword

"fn" @keyword
"use" @keyword
"mut" @keyword
"return" @keyword
["if" "else" "match"] @keyword
["for" "in" "while"] @keyword
"mod" @keyword
["true" "false"] @boolean
[(self) (tx)] @variable.special

; Words with a meaning in one place only; elsewhere they are names.

(model_item "model" @keyword)
(imi_item "imi" @keyword)
(imo_item "imo" @keyword)
(plan_item "plan" @keyword)
(test_item "test" @keyword)
(property_item "property" @keyword)
(state "state" @keyword)
(allow "allow" @keyword)
(budget "budget" @keyword)
(use_declaration "as" @keyword)
(use_name "as" @keyword)
(split_statement "by" @keyword)
(authority ["by" "after"] @keyword)
(bound ["up" "to" "at" "least"] @keyword)
(quorum "of" @keyword)
(threshold ["of" "signed"] @keyword)
(height "height" @keyword)
(time "time" @keyword)
(asm_expression "asm" @keyword)
(for_statement ["max" "where"] @keyword)
(while_statement "max" @keyword)
(continue_statement ["continue" "with" "value" "tokens"] @keyword)
(end_statement "end" @keyword)
(with_expression "with" @keyword)
(input_statement "input" @keyword)
(path_coin ["any" "each" "where"] @keyword)
(key_coin ["key" "with"] @keyword)
(genesis_coin) @keyword
(output_statement ["output" "each" "data"] @keyword)
(locktime_statement "locktime" @keyword)
(age_statement "age" @keyword)
(burn_statement "burn" @keyword)
(change_statement ["change" "none" "to"] @keyword)
(publish_statement "publish" @keyword)
(assert_statement "assert" @keyword)
(classify_statement "classify" @keyword)
(passes_statement ["passes" "at"] @keyword)
(fails_statement ["fails" "at"] @keyword)
((entry value: (identifier) @keyword)
  (#eq? @keyword "list"))
(phrase_word) @keyword

; ---- declarations

(contract_item name: (identifier) @type)
(reward_item name: (identifier) @type)
(model_item name: (identifier) @type)
(imi_item name: (identifier) @type)
(imo_item name: (identifier) @type)
(struct_item name: (identifier) @type)
(enum_item name: (identifier) @type)
(type_parameters (identifier) @type)
(variant name: (identifier) @constructor)
(function_item name: (identifier) @function)
(spend name: (identifier) @function.method)
(plan_item name: (identifier) @function)
(test_item name: (identifier) @function)
(property_item name: (identifier) @function)
(const_item name: (identifier) @constant)
(parameter name: (identifier) @variable.parameter)
(property_parameter name: (identifier) @variable.parameter)
(field_declaration name: (identifier) @property)
(key (identifier) @property)
(allow (identifier) @attribute)

; ---- uses

(type_identifier) @type
(scoped_type_identifier name: (identifier) @type)
(path (identifier) @namespace)
(path name: (identifier) @variable)
(use_declaration (identifier) @namespace)
(use_name name: (identifier) @variable)
((identifier) @constant
  (#match? @constant "^[A-Z][A-Z0-9_]+$"))
(call function: (identifier) @function)
(call function: (path name: (identifier) @function))
(method_call method: (field_identifier) @function.method)
(path_coin path: (field_identifier) @function.method)
(struct_expression name: (identifier) @type)
(struct_expression name: (path name: (identifier) @type))
(tuple_struct_pattern name: (identifier) @constructor)
(tuple_struct_pattern name: (path name: (identifier) @constructor))
(struct_pattern name: (identifier) @type)
(struct_pattern name: (path name: (identifier) @type))
(field_identifier) @property
(field_initializer name: (identifier) @property)
(field_pattern name: (identifier) @property)
(split_statement reward: (identifier) @type)
(opcode) @function.builtin

; ---- literals

(integer) @number
(decimal) @number
(percent) @number
(bytes) @number
(unit) @type.builtin
(string) @string
(escape_sequence) @string.escape

; ---- comments

[(line_comment) (block_comment)] @comment
[(doc_comment) (inner_doc_comment)] @comment.doc

; ---- signs

["(" ")" "[" "]" "{" "}"] @punctuation.bracket
["," ";" ":" "::" "."] @punctuation.delimiter
[
  "=" "+=" "-=" "*=" "/="
  "==" "!=" "<" "<=" ">" ">="
  "||" "&&" "|" "^" "&" "<<" ">>"
  "+" "-" "*" "/" "!" "~"
  "->" "=>" ".."
] @operator
