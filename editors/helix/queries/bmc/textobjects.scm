(contract_item body: (_) @class.inside) @class.around
(reward_item body: (_) @class.inside) @class.around
(model_item body: (_) @class.inside) @class.around
(imi_item body: (_) @class.inside) @class.around
(imo_item body: (_) @class.inside) @class.around
(struct_item body: (_) @class.inside) @class.around
(enum_item body: (_) @class.inside) @class.around
(function_item body: (_) @function.inside) @function.around
(spend body: (_) @function.inside) @function.around
(plan_item body: (_) @function.inside) @function.around
(test_item body: (_) @test.inside) @test.around
(property_item body: (_) @test.inside) @test.around
(parameter) @parameter.inside
(arguments (_) @parameter.inside)
(entry value: (_) @entry.inside) @entry.around
[(line_comment) (block_comment) (doc_comment) (inner_doc_comment)] @comment.inside
[(line_comment) (block_comment) (doc_comment) (inner_doc_comment)]+ @comment.around
