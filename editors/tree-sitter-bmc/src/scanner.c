// Block comments nest, which no regular expression can say.

#include "tree_sitter/parser.h"

// IN_STRING and RECOVERING are never found. The first is valid where the text of a string may go on; the second only where the
// parser recovers from an error, and then all of them are.
enum { BLOCK_COMMENT, IN_STRING, RECOVERING };

void *tree_sitter_bmc_external_scanner_create(void) { return 0; }

void tree_sitter_bmc_external_scanner_destroy(void *payload) { (void)payload; }

unsigned tree_sitter_bmc_external_scanner_serialize(void *payload, char *buffer) {
  (void)payload;
  (void)buffer;
  return 0;
}

void tree_sitter_bmc_external_scanner_deserialize(void *payload, const char *buffer, unsigned length) {
  (void)payload;
  (void)buffer;
  (void)length;
}

static bool is_space(int32_t c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == 0xFEFF;
}

// `/* .. */` with others inside. One without an end is none: the parser then says so.
bool tree_sitter_bmc_external_scanner_scan(void *payload, TSLexer *lexer, const bool *valid_symbols) {
  (void)payload;
  if (!valid_symbols[BLOCK_COMMENT]) return false;
  // In a string, `/*` is text.
  if (valid_symbols[IN_STRING] && !valid_symbols[RECOVERING]) return false;
  while (is_space(lexer->lookahead)) lexer->advance(lexer, true);
  if (lexer->lookahead != '/') return false;
  lexer->advance(lexer, false);
  if (lexer->lookahead != '*') return false;
  lexer->advance(lexer, false);
  unsigned depth = 1;
  while (depth > 0) {
    if (lexer->eof(lexer)) return false;
    int32_t c = lexer->lookahead;
    lexer->advance(lexer, false);
    if (c == '/' && lexer->lookahead == '*') {
      lexer->advance(lexer, false);
      depth++;
    } else if (c == '*' && lexer->lookahead == '/') {
      lexer->advance(lexer, false);
      depth--;
    }
  }
  lexer->result_symbol = BLOCK_COMMENT;
  return true;
}
