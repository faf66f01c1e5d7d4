; Printed by `cargo xtask gen` from editors/tree-sitter-bmc/queries/folds.scm: edit that, not this.

[
  (contract_body)
  (field_list)
  (variant_list)
  (entries)
  (plan_body)
  (test_body)
  (transaction)
  (block)
  (record)
  (match_body)
  (asm_code)
  (use_list)
  (parameters)
  (arguments)
  (array_expression)
  (block_comment)
] @fold
