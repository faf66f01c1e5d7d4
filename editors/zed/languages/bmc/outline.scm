[(doc_comment) (inner_doc_comment)] @annotation
(contract_item "contract" @context name: (identifier) @name) @item
(spend "spend" @context name: (identifier) @name) @item
(function_item "fn" @context name: (identifier) @name) @item
(const_item "const" @context name: (identifier) @name) @item
(struct_item "struct" @context name: (identifier) @name) @item
(enum_item "enum" @context name: (identifier) @name) @item
(variant name: (identifier) @name) @item
(field_declaration name: (identifier) @name) @item
(reward_item "reward" @context name: (identifier) @name) @item
(model_item "model" @context name: (identifier) @name) @item
(imi_item "imi" @context name: (identifier) @name) @item
(imo_item "imo" @context name: (identifier) @name) @item
(plan_item "plan" @context name: (identifier) @name) @item
(test_item "test" @context name: (identifier) @name) @item
(property_item "property" @context name: (identifier) @name) @item
