// Colours for the blocks of the book that are in the language, by the highlight.js that mdBook brings.
(function () {
    "use strict";
    const words = {
        keyword:
            "contract spend reward struct enum fn const use let mut require split return if else for in while match " +
            "mod model imi imo plan state allow budget test property continue end with by up to at least after where " +
            "max of signed as input output burn publish change age locktime asm assert classify passes fails " +
            "each any",
        literal: "true false none height time rest",
        built_in:
            "self tx sha256 sha1 ripemd160 hash160 hash256 int bytes reverse abs min within p2pkh p2sh32 lock tokens " +
            "encode decode Int Bool Bytes Coin Tokens Height Time Blocks Duration Share PubKey Sig Sigs DataSig Lock " +
            "Category Did Hash160 Hash256 Padding Option Table list Some None",
    };
    const number = {
        className: "number",
        begin: /\b0x[0-9a-fA-F]*|\b\d[\d_]*(\.\d[\d_]*)?(%|\s+(sats|coin|blocks?|seconds?|minutes?|hours?|days?|weeks?)\b)?/,
        relevance: 0,
    };
    const language = (hljs) => ({
        name: "Bitmodel",
        keywords: words,
        contains: [
            { className: "comment", begin: /\/\/[/!]?/, end: /$/ },
            hljs.COMMENT("/\\*", "\\*/", { contains: ["self"] }),
            { className: "string", begin: '"', end: '"', contains: [{ begin: /\\./ }] },
            number,
            {
                beginKeywords: "contract spend reward struct enum fn plan test property model imi imo",
                end: /[({<;]/,
                excludeEnd: true,
                keywords: words,
                contains: [{ className: "title", begin: /[A-Za-z_]\w*/ }],
            },
        ],
    });
    if (typeof hljs === "undefined") {
        return;
    }
    hljs.registerLanguage("bmc", language);
    for (const block of document.querySelectorAll("code.language-bmc")) {
        block.textContent = block.textContent;
        (hljs.highlightBlock || hljs.highlightElement)(block);
    }
})();
