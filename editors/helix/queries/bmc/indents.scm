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
  (property_parameters)
  (arguments)
  (array_expression)
  (tuple_expression)
] @indent

["}" "]" ")"] @outdent
