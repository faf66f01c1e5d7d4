; Printed by `cargo xtask gen` from editors/tree-sitter-bmc/queries/locals.scm: edit that, not this.

[
  (source_file)
  (contract_item)
  (spend)
  (function_item)
  (plan_item)
  (test_item)
  (property_item)
  (block)
  (transaction)
  (match_arm)
  (for_statement)
] @local.scope

(const_item name: (identifier) @local.definition.constant)
(function_item name: (identifier) @local.definition.function)
(spend name: (identifier) @local.definition.function)
(plan_item name: (identifier) @local.definition.function)
(contract_item name: (identifier) @local.definition.type)
(reward_item name: (identifier) @local.definition.type)
(model_item name: (identifier) @local.definition.type)
(imi_item name: (identifier) @local.definition.type)
(imo_item name: (identifier) @local.definition.type)
(struct_item name: (identifier) @local.definition.type)
(enum_item name: (identifier) @local.definition.type)
(parameter name: (identifier) @local.definition.parameter)
(property_parameter name: (identifier) @local.definition.parameter)
(let_statement pattern: (identifier) @local.definition.var)
(for_statement pattern: (identifier) @local.definition.var)
(mut_pattern (identifier) @local.definition.var)
(tuple_pattern (identifier) @local.definition.var)
(field_pattern name: (identifier) @local.definition.var)
(input_statement name: (identifier) @local.definition.var)

(identifier) @local.reference
(type_identifier) @local.reference
