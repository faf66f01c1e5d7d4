(contract_item body: (_) @class.inner) @class.outer
(reward_item body: (_) @class.inner) @class.outer
(model_item body: (_) @class.inner) @class.outer
(imi_item body: (_) @class.inner) @class.outer
(imo_item body: (_) @class.inner) @class.outer
(struct_item body: (_) @class.inner) @class.outer
(enum_item body: (_) @class.inner) @class.outer
(function_item body: (_) @function.inner) @function.outer
(spend body: (_) @function.inner) @function.outer
(plan_item body: (_) @function.inner) @function.outer
(test_item body: (_) @function.inner) @function.outer
(property_item body: (_) @function.inner) @function.outer
(for_statement body: (_) @loop.inner) @loop.outer
(while_statement body: (_) @loop.inner) @loop.outer
(if_expression then: (_) @conditional.inner) @conditional.outer
(call arguments: (_) @call.inner) @call.outer
(method_call arguments: (_) @call.inner) @call.outer
(parameter) @parameter.outer
(arguments (_) @parameter.outer)
[(line_comment) (block_comment) (doc_comment) (inner_doc_comment)] @comment.outer
