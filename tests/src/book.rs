//! The pages of the book, and a reader who does what they say.

mod page;
mod reader;
mod shown;

pub use page::{Block, Step, blocks, steps};
pub use reader::{Did, Reader};
