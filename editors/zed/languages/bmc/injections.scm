([(doc_comment) (inner_doc_comment)] @injection.content
  (#set! injection.language "markdown"))
