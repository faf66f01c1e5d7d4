/**
 * The contract language of Bitmodel. The compiler's own tables, compiler/syntax/src/words.rs and
 * grammar.lalrpop, say what this grammar has to accept; the tests of the repository compare them.
 *
 * Only a few words are reserved. The others have a meaning in one place, and there the grammar
 * names them; where both a name and such a word may stand, the name is listed again as an alias.
 */

/// <reference types="tree-sitter-cli/dsl" />

const KEYWORDS = [
  "contract", "spend", "reward", "struct", "enum", "fn", "const", "use", "let", "mut", "require", "split",
  "return", "if", "else", "for", "in", "while", "match", "true", "false", "self", "tx", "mod",
];

const UNITS = [
  "coin", "coins", "sats", "sat", "blocks", "block", "seconds", "second", "minutes", "minute",
  "hours", "hour", "days", "day", "weeks", "week", "bytes", "byte",
];

// Words of phrases that apply to what follows.
const APPLYING = ["of", "to", "over", "rata", "cliff", "fixed", "file", "after", "from", "until", "per"];

// Words with a meaning of their own where an expression may begin, and so a name as well.
const NAMES_TOO = [
  "height", "time", "asm", "continue", "end", "allow", "budget", "output", "locktime", "age", "burn", "passes",
  "fails", "each", "data", "key", "genesis", "up", "at", "by", "of", "with",
];

// Behind a dot and as a key, every word is a name.
const anyName = ($, as) => reserved("anything", as ? alias($.identifier, as) : $.identifier);

const list = (element) => optional(seq(element, repeat(seq(",", element)), optional(",")));

module.exports = grammar({
  name: "bmc",

  word: ($) => $.identifier,

  reserved: {
    global: (_) => KEYWORDS,
    anything: (_) => [],
  },

  // The last two tell the scanner where it is: in a string, where no comment begins, or behind an error.
  externals: ($) => [$.block_comment, $._in_string, $._recovering],

  extras: ($) => [/[ \t\r\n\f\uFEFF]+/, $.line_comment, $.block_comment, $.doc_comment, $.inner_doc_comment],

  supertypes: ($) => [$._item, $._member, $._statement, $._expression, $._pattern, $._type],

  conflicts: ($) => [
    // `a < b`, or type arguments before the braces of a struct.
    [$._atom, $.struct_expression],
    [$.asm_expression, $._word],
    // A threshold, or a quorum and a phrase.
    [$._operand, $.threshold, $.quorum],
    // A word of a phrase, or a name.
    [$._phrase_word, $._path],
    [$._word, $.output_statement],
    [$._word, $.locktime_statement],
    [$._word, $.passes_statement],
    [$._word, $.continue_statement],
    [$._word, $.allow],
    [$._word, $.budget],
    [$._word, $.bound],
    [$._word, $.authority],
    [$._operand, $.threshold],
    [$._word, $.key_coin],
    [$._word, $._applying],
    [$.relative],
  ],

  rules: {
    source_file: ($) => repeat($._item),

    // ---- comments

    line_comment: (_) => token(choice(/\/\/([^/!\n][^\n]*)?/, /\/\/\/\/[^\n]*/)),
    doc_comment: (_) => token(/\/\/\/([^/\n][^\n]*)?/),
    inner_doc_comment: (_) => token(/\/\/![^\n]*/),

    // ---- names

    identifier: (_) => /[A-Za-z_][A-Za-z0-9_]*/,

    path: ($) => seq($._path, "::", field("name", $.identifier)),
    _path: ($) => choice($.identifier, alias($._word, $.identifier), $.path),
    _word: (_) => choice(...NAMES_TOO),

    // ---- items

    _item: ($) =>
      choice(
        $.use_declaration,
        $.const_item,
        $.struct_item,
        $.enum_item,
        $.function_item,
        $.contract_item,
        $.reward_item,
        $.model_item,
        $.imi_item,
        $.imo_item,
        $.plan_item,
        $.test_item,
        $.property_item,
      ),

    use_declaration: ($) =>
      seq(
        "use",
        optional($.relative),
        field("path", $._path),
        optional(choice(seq("as", field("alias", $.identifier)), seq("::", $.use_list))),
        ";",
      ),
    relative: ($) => seq(choice(seq(".", "/"), seq("..", "/")), repeat(seq(choice("..", $.identifier), "/"))),
    use_list: ($) => seq("{", list($.use_name), "}"),
    use_name: ($) => seq(field("name", $.identifier), optional(seq("as", field("alias", $.identifier)))),

    const_item: ($) =>
      seq("const", field("name", $.identifier), optional(seq(":", field("type", $._type))), "=", field("value", $._expression), ";"),

    struct_item: ($) =>
      seq("struct", field("name", $.identifier), optional($.type_parameters), field("body", $.field_list)),
    field_list: ($) => seq("{", list($.field_declaration), "}"),
    field_declaration: ($) => seq(field("name", $.identifier), ":", field("type", $._type)),

    enum_item: ($) =>
      seq("enum", field("name", $.identifier), optional($.type_parameters), field("body", $.variant_list)),
    variant_list: ($) => seq("{", list($.variant), "}"),
    variant: ($) => seq(field("name", $.identifier), optional(choice($.field_list, $.tuple_fields))),
    tuple_fields: ($) => seq("(", list($._type), ")"),

    function_item: ($) =>
      seq(
        "fn",
        field("name", $.identifier),
        optional($.type_parameters),
        field("parameters", $.parameters),
        optional(seq("->", field("result", $._type))),
        field("body", $.block),
      ),
    type_parameters: ($) => seq("<", list($.identifier), ">"),
    parameters: ($) => seq("(", list($.parameter), ")"),
    parameter: ($) => seq(field("name", $.identifier), ":", field("type", $._type)),

    contract_item: ($) =>
      seq(
        "contract",
        field("name", $.identifier),
        optional(field("parameters", $.parameters)),
        field("body", $.contract_body),
      ),
    contract_body: ($) => seq("{", repeat($._member), "}"),
    _member: ($) => choice($.state, $.spend, $.function_item, $.const_item, $.allow, $.budget),
    state: ($) => seq("state", field("body", $.field_list)),
    spend: ($) =>
      seq("spend", field("name", $.identifier), field("parameters", $.parameters), field("body", $.block)),
    allow: ($) => seq("allow", "(", list($.identifier), ")", ";"),
    budget: ($) => seq("budget", "(", list($.field_initializer), ")", ";"),

    reward_item: ($) => seq("reward", field("name", $.identifier), field("body", $.entries)),
    model_item: ($) => seq("model", field("name", $.identifier), field("body", $.entries)),
    imi_item: ($) => seq("imi", field("name", $.identifier), field("body", $.entries)),
    imo_item: ($) =>
      seq("imo", field("name", $.identifier), "for", field("subject", $._path), field("body", $.entries)),
    plan_item: ($) =>
      seq("plan", field("name", $.identifier), field("parameters", $.parameters), field("body", $.plan_body)),
    test_item: ($) => seq("test", field("name", $.identifier), field("body", $.test_body)),
    property_item: ($) =>
      seq(
        "property",
        field("name", $.identifier),
        field("parameters", $.property_parameters),
        field("body", $.test_body),
      ),
    property_parameters: ($) => seq("(", list($.property_parameter), ")"),
    property_parameter: ($) =>
      seq(
        field("name", $.identifier),
        ":",
        field("type", $._type),
        optional(seq("in", field("from", $._expression), "..", optional("="), field("to", $._expression))),
      ),

    // ---- types

    _type: ($) => choice($._type_name, $.array_type, $.tuple_type, $.parenthesized_type),
    _type_name: ($) => choice($._type_path, $.generic_type),
    _type_path: ($) =>
      choice(
        alias($.identifier, $.type_identifier),
        alias($._word, $.type_identifier),
        alias($.path, $.scoped_type_identifier),
      ),
    generic_type: ($) => seq(field("name", $._type_path), field("arguments", $.type_arguments)),
    type_arguments: ($) => seq("<", choice($._type, $.integer), repeat(seq(",", choice($._type, $.integer))), ">"),
    array_type: ($) => seq("[", field("element", $._type), ";", field("length", $._expression), "]"),
    tuple_type: ($) => choice(seq("(", ")"), seq("(", $._type, ",", list($._type), ")")),
    parenthesized_type: ($) => seq("(", $._type, ")"),

    // ---- entries of domain declarations

    entries: ($) => seq("{", list($.entry), "}"),
    entry: ($) => seq(field("key", $.key), ":", field("value", $._value)),
    key: ($) => choice(repeat1(anyName($)), $.bytes),

    _value: ($) =>
      choice(
        prec(2, $._expression),
        $.quorum,
        $.bound,
        $.authority,
        $.phrase,
        $.entries,
        alias($._weighted, $.weighted),
        alias($._applying, $.identifier),
      ),
    _weighted: ($) => prec.dynamic(1, seq(field("weight", $._expression), field("parts", $.entries))),
    quorum: ($) => seq(field("needed", $._postfix), "of", "[", list($._expression), "]"),
    bound: ($) => choice(seq("up", "to", $._expression), seq("at", "least", $._expression)),
    authority: ($) => seq("by", $._expression, optional(seq("after", $._expression))),
    // A single name is no phrase.
    phrase: ($) =>
      prec.dynamic(-2, choice(
        seq($._phrase_head, repeat1($._clause), optional($._words)),
        seq($._phrase_head, $._words),
        seq(repeat1($._clause), optional($._words)),
        $._words,
      )),
    _phrase_head: ($) => choice($._expression, $.quorum),
    _clause: ($) =>
      seq(
        choice(
          seq(optional($._words), alias($._applying, $.phrase_word), $._expression),
          seq($._words, $._expression),
          prec.dynamic(1, seq($._words, $.entries)),
        ),
        optional($.entries),
      ),
    _words: ($) => prec.right(repeat1($._phrase_word)),
    _applying: (_) => choice(...APPLYING),
    _phrase_word: ($) => prec.dynamic(1, alias($.identifier, $.phrase_word)),

    // ---- blocks

    block: ($) => seq("{", repeat($._statement), optional(field("value", $._expression)), "}"),

    _statement: ($) =>
      choice(
        $.let_statement,
        $.assignment,
        $.require_statement,
        $.for_statement,
        $.while_statement,
        $.continue_statement,
        $.end_statement,
        $.allow,
        $.budget,
        $.split_statement,
        $.return_statement,
        $.expression_statement,
        $.empty_statement,
      ),

    empty_statement: (_) => ";",
    let_statement: ($) =>
      seq(
        "let",
        field("pattern", $._pattern),
        optional(seq(":", field("type", $._type))),
        "=",
        field("value", $._expression),
        ";",
      ),
    assignment: ($) =>
      seq(field("place", $._postfix), choice("=", "+=", "-=", "*=", "/="), field("value", $._expression), ";"),
    require_statement: ($) =>
      seq("require", field("condition", $._expression), optional(seq(",", field("message", $.string))), ";"),
    for_statement: ($) =>
      seq(
        "for",
        field("pattern", $._pattern),
        "in",
        choice(
          seq(field("from", $._expression), "..", field("to", $._expression), optional(seq("max", $._expression))),
          seq(field("list", $._expression), optional(seq("where", field("filter", $._expression)))),
        ),
        field("body", $.block),
      ),
    while_statement: ($) =>
      seq(
        "while",
        field("condition", $._expression),
        optional(seq("max", $._expression)),
        field("body", $.block),
      ),
    continue_statement: ($) =>
      seq("continue", optional(field("fields", $.record)), optional(seq("with", $._carried)), ";"),
    _carried: ($) =>
      choice(
        seq("value", $._expression, optional(seq(",", "tokens", $._expression))),
        seq("tokens", $._expression, optional(seq(",", "value", $._expression))),
      ),
    end_statement: (_) => prec(2, seq("end", ";")),
    split_statement: ($) => seq("split", field("pot", $._expression), "by", field("reward", $.identifier), ";"),
    return_statement: ($) => seq("return", optional($._expression), ";"),
    expression_statement: ($) => choice(seq($._expression, ";"), $._ending_with_block),
    _ending_with_block: ($) => prec(1, choice($.if_expression, $.match_expression)),

    // ---- plans and tests

    plan_body: ($) => seq("{", repeat($._plan_statement), "}"),
    _plan_statement: ($) =>
      choice(
        $.let_statement,
        $.require_statement,
        $._made_statement,
        $.input_statement,
        $.change_statement,
        $.publish_statement,
        $.empty_statement,
      ),
    _made_statement: ($) => choice($.output_statement, $.locktime_statement, $.age_statement, $.burn_statement),

    input_statement: ($) => seq("input", field("name", $.identifier), ":", field("coin", $._coin), ";"),
    _coin: ($) => choice($.path_coin, $.key_coin, $.genesis_coin),
    path_coin: ($) =>
      seq(
        field("contract", $._path),
        optional(field("parameters", $.arguments)),
        ".",
        field("path", anyName($, $.field_identifier)),
        "(",
        list($.field_initializer),
        ")",
        optional(choice("any", "each")),
        optional(seq("where", field("filter", $._expression))),
      ),
    key_coin: ($) =>
      seq("key", "(", field("owner", $._expression), ")", optional(seq("with", field("asks", $.record)))),
    genesis_coin: (_) => "genesis",

    output_statement: ($) =>
      seq(
        "output",
        choice(
          seq(field("lock", $._expression), field("fields", $.record)),
          seq(
            "each",
            field("pattern", $._pattern),
            "in",
            field("list", $._expression),
            field("fields", $.record),
          ),
          seq("data", "[", list($._expression), "]"),
        ),
        ";",
      ),
    locktime_statement: ($) => seq("locktime", $._expression, ";"),
    age_statement: ($) => seq("age", field("input", $.identifier), field("value", $._expression), ";"),
    burn_statement: ($) => seq("burn", field("input", $.identifier), ";"),
    change_statement: ($) => seq("change", choice("none", seq("to", $._expression)), ";"),
    publish_statement: ($) => seq("publish", $._expression, ";"),

    test_body: ($) => seq("{", repeat($._test_statement), "}"),
    _test_statement: ($) =>
      choice(
        alias($._let_in_test, $.let_statement),
        $._made_statement,
        $.assert_statement,
        $.classify_statement,
        $.passes_statement,
        $.fails_statement,
        alias($._call_in_test, $.expression_statement),
        $.empty_statement,
      ),
    _let_in_test: ($) =>
      seq(
        "let",
        field("pattern", $._pattern),
        optional(seq(":", field("type", $._type))),
        "=",
        field("value", choice($._expression, $.with_expression)),
        ";",
      ),
    _call_in_test: ($) => seq(choice($._expression, $.with_expression), ";"),
    assert_statement: ($) =>
      seq("assert", field("condition", $._expression), optional(seq(",", field("message", $.string))), ";"),
    classify_statement: ($) =>
      seq("classify", field("condition", $._expression), ",", field("label", $.string), ";"),
    passes_statement: ($) =>
      seq("passes", optional(seq("at", field("at", $._expression))), field("body", $.transaction)),
    fails_statement: ($) =>
      seq(
        "fails",
        field("message", $.string),
        optional(seq("at", field("at", $._expression))),
        field("body", $.transaction),
      ),
    transaction: ($) =>
      seq(
        "{",
        repeat($._test_statement),
        optional(alias($._last_call, $.expression_statement)),
        "}",
      ),
    _last_call: ($) => choice($._expression, $.with_expression),
    with_expression: ($) => seq(field("base", $._expression), "with", field("fields", $.record)),

    // ---- patterns

    _pattern: ($) => choice($._pattern_one, $.or_pattern),
    or_pattern: ($) => prec.left(seq($._pattern_one, repeat1(seq("|", $._pattern_one)))),
    _pattern_one: ($) =>
      choice(
        $._path,
        $.mut_pattern,
        $.tuple_struct_pattern,
        $.struct_pattern,
        $.tuple_pattern,
        $.parenthesized_pattern,
        $.array_pattern,
        $.negative_pattern,
        $._literal,
      ),
    mut_pattern: ($) => seq("mut", $.identifier),
    tuple_struct_pattern: ($) => seq(field("name", $._path), "(", list($._pattern), ")"),
    struct_pattern: ($) => seq(field("name", $._path), "{", list(choice($.field_pattern, "..")), "}"),
    field_pattern: ($) => seq(field("name", $.identifier), optional(seq(":", field("pattern", $._pattern)))),
    tuple_pattern: ($) => choice(seq("(", ")"), seq("(", $._pattern, ",", list($._pattern), ")")),
    parenthesized_pattern: ($) => seq("(", $._pattern, ")"),
    array_pattern: ($) => seq("[", list($._pattern), "]"),
    negative_pattern: ($) => seq("-", $._number),

    // ---- expressions, weakest binding first

    _expression: ($) =>
      choice(
        alias($._logical, $.binary_expression),
        alias($._comparison, $.binary_expression),
        $._operand,
      ),
    _logical: ($) =>
      choice(
        prec.left(1, seq(field("left", $._expression), field("operator", "||"), field("right", $._expression))),
        prec.left(2, seq(field("left", $._expression), field("operator", "&&"), field("right", $._expression))),
      ),
    // Comparisons do not chain.
    _comparison: ($) =>
      prec(
        3,
        seq(
          field("left", $._operand),
          field("operator", choice("==", "!=", "<", "<=", ">", ">=")),
          field("right", $._operand),
        ),
      ),
    _operand: ($) => choice($.binary_expression, $.unary_expression, $.threshold, $._postfix),
    binary_expression: ($) => {
      const levels = [["|"], ["^"], ["&"], ["<<", ">>"], ["+", "-"], ["*", "/", "mod"]];
      return choice(
        ...levels.map((operators, at) =>
          prec.left(
            4 + at,
            seq(field("left", $._operand), field("operator", operators.length > 1 ? choice(...operators) : operators[0]), field("right", $._operand)),
          ),
        ),
      );
    },
    unary_expression: ($) => prec(10, seq(field("operator", choice("-", "!", "~")), field("operand", $._operand))),
    threshold: ($) =>
      seq(
        field("needed", $._postfix),
        "of",
        "[",
        list($._expression),
        "]",
        "signed",
        "(",
        list($._expression),
        ")",
      ),

    _postfix: ($) =>
      choice(
        $.field_expression,
        $.method_call,
        $.element_expression,
        $.index_expression,
        $.slice_expression,
        $._atom,
      ),
    field_expression: ($) =>
      prec(12, seq(field("value", $._postfix), ".", field("field", anyName($, $.field_identifier)))),
    method_call: ($) =>
      prec(
        13,
        seq(
          field("value", $._postfix),
          ".",
          field("method", anyName($, $.field_identifier)),
          field("arguments", $.arguments),
        ),
      ),
    element_expression: ($) => prec(12, seq(field("value", $._postfix), ".", field("element", $.integer))),
    index_expression: ($) => prec(12, seq(field("value", $._postfix), "[", field("index", $._expression), "]")),
    slice_expression: ($) =>
      prec(
        12,
        seq(
          field("value", $._postfix),
          "[",
          optional(field("from", $._expression)),
          "..",
          optional(field("to", $._expression)),
          "]",
        ),
      ),

    _atom: ($) =>
      choice(
        $._literal,
        $.self,
        $.tx,
        $._path,
        $.call,
        $.struct_expression,
        $.tuple_expression,
        $.parenthesized_expression,
        $.array_expression,
        $.repeat_expression,
        $.if_expression,
        $.match_expression,
        $.asm_expression,
      ),
    self: (_) => "self",
    tx: (_) => "tx",
    call: ($) => prec(12, seq(field("function", $._path), field("arguments", $.arguments))),
    arguments: ($) => seq("(", list($._expression), ")"),
    struct_expression: ($) =>
      prec.dynamic(
        -1,
        seq(field("name", $._path), optional(field("type_arguments", $.type_arguments)), field("fields", $.record)),
      ),
    record: ($) => seq("{", list($.field_initializer), "}"),
    field_initializer: ($) =>
      seq(
        field("name", $.identifier),
        optional(seq(":", field("value", choice($._expression, $.record, $.with_expression)))),
      ),
    tuple_expression: ($) => choice(seq("(", ")"), seq("(", $._expression, ",", list($._expression), ")")),
    parenthesized_expression: ($) => seq("(", $._expression, ")"),
    array_expression: ($) => seq("[", list($._expression), "]"),
    repeat_expression: ($) => seq("[", field("value", $._expression), ";", field("count", $._expression), "]"),

    if_expression: ($) =>
      prec.right(
        seq(
          "if",
          field("condition", choice($._expression, $.let_condition)),
          field("then", $.block),
          optional(seq("else", field("else", choice($.block, $.if_expression)))),
        ),
      ),
    let_condition: ($) => seq("let", field("pattern", $._pattern), "=", field("value", $._expression)),

    match_expression: ($) => seq("match", field("value", $._expression), field("body", $.match_body)),
    match_body: ($) => seq("{", repeat($.match_arm), optional(alias($._last_arm, $.match_arm)), "}"),
    match_arm: ($) =>
      seq(
        $._arm_head,
        choice(
          seq(field("body", $._expression), ","),
          seq(field("body", $.block), optional(",")),
          field("body", $._ending_with_block),
        ),
      ),
    _last_arm: ($) => seq($._arm_head, field("body", $._expression)),
    _arm_head: ($) =>
      seq(field("pattern", $._pattern), optional(seq("if", field("guard", $._expression))), "=>"),

    asm_expression: ($) =>
      seq(
        "asm",
        field("inputs", $.parameters),
        optional(seq("->", field("result", $._type))),
        field("code", $.asm_code),
      ),
    asm_code: ($) => seq("{", repeat($._asm_word), "}"),
    _asm_word: ($) => choice(alias($.identifier, $.opcode), $.integer, alias($._negative_integer, $.negative), $.bytes, $.string),
    _negative_integer: ($) => seq("-", $.integer),

    // ---- literals

    _literal: ($) =>
      choice($._number, $.percent, $.bytes, $.string, $.height, $.time, $.boolean),
    _number: ($) => choice($.integer, $.decimal, $.quantity),
    integer: (_) => token(/[0-9]+(_[0-9]+)*/),
    decimal: (_) => token(/[0-9]+(_[0-9]+)*\.[0-9]+(_[0-9]+)*/),
    percent: (_) => token(/[0-9]+(_[0-9]+)*(\.[0-9]+(_[0-9]+)*)?%/),
    bytes: (_) => token(/0[xX]_*([0-9A-Fa-f]_*[0-9A-Fa-f]_*)*/),
    quantity: ($) => prec(14, seq(choice($.integer, $.decimal), field("unit", $.unit))),
    unit: (_) => choice(...UNITS),
    height: ($) => seq("height", $.integer),
    time: ($) => seq("time", $.string),
    boolean: (_) => choice("true", "false"),
    string: ($) => seq('"', repeat(choice($.escape_sequence, $._content, $._in_string)), token.immediate('"')),
    _content: ($) => alias(token.immediate(prec(1, /[^"\\\r\n]+/)), $.string_content),
    escape_sequence: (_) => token.immediate(/\\([ntr0\\"]|x[0-7][0-9A-Fa-f]|u\{[0-9A-Fa-f]{1,6}\})/),
  },
});
