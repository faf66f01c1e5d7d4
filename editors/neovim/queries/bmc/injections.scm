; Printed by `cargo xtask gen` from editors/tree-sitter-bmc/queries/injections.scm: edit that, not this.

([(doc_comment) (inner_doc_comment)] @injection.content
  (#set! injection.language "markdown")
  (#set! injection.combined)
  (#offset! @injection.content 0 3 0 0))

([(line_comment) (block_comment)] @injection.content
  (#set! injection.language "comment"))
