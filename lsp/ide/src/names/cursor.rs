//! The item and the name at a place of a file.

use driver::ItemView;
use syntax::FileId;

use super::{Depth, Files, ItemNames, Name, names_of};

/// A place in an item.
pub(crate) struct Cursor<'s> {
    pub(crate) item: ItemView<'s>,
    /// Counted from the start of the item.
    pub(crate) offset: u32,
    pub(crate) names: ItemNames,
}

/// The item at a byte of a file, or just before it.
pub(crate) fn item_at<'s>(files: &Files<'s>, file: FileId, offset: usize) -> Option<(ItemView<'s>, u32)> {
    let own = files.of(file);
    let item = own.items.iter().rev().find(|item| item.start as usize <= offset)?;
    let inside = u32::try_from(offset - item.start as usize).ok()?;
    (inside as usize <= item.text.len()).then_some((*item, inside))
}

impl<'s> Cursor<'s> {
    pub(crate) fn at(files: &Files<'s>, file: FileId, offset: usize, depth: Depth) -> Option<Self> {
        let (item, offset) = item_at(files, file, offset)?;
        Some(Self { item, offset, names: names_of(files, file, item, depth) })
    }

    /// The name at the place.
    pub(crate) fn name(&self) -> Option<&Name> {
        self.names.at(self.offset)
    }
}
