//! The model network and its contribution flows: graph, exact settlement, analysis.
//! It will know no sockets and no scripts, only records that come from the chain.
