//! Turns sources and what they compile to into documentation: static pages with links, drawings and an index to search.
//! It knows no disk, no browser, no network, and compiles nothing: texts and artifacts come in, pages go out.

mod code;
mod docs;
mod draw;
mod entry;
mod input;
mod markdown;
mod markup;
mod model;
mod page;
mod scope;
mod shares;
mod ways;

pub use docs::{Broken, Docs, Page};
pub use draw::alone;
pub use draw::graph::{Drawn, Link, graph};
pub use input::{Module, Program};
pub use markup::escaped;
pub use model::{CheckModel, ItemModel, ModuleModel, PathModel, SlotModel};
