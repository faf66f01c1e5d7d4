//! The functions of a program, found by the file and the place in it that declare them.

use std::collections::BTreeMap;
use std::sync::Arc;

use syntax::FileId;

use super::Function;

/// A function: which file declares it, and how many functions that file declares before it.
///
/// Files are numbered by who reads them, so the number says nothing about the source; nothing that
/// leaves the compiler may depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FunctionId {
    file: FileId,
    index: u32,
}

impl FunctionId {
    /// The function at `index` among those of `file`, members of contracts included.
    ///
    /// # Panics
    /// If a file had more than `u32::MAX` functions; sources are shorter than that.
    pub fn new(file: FileId, index: usize) -> Self {
        Self { file, index: u32::try_from(index).expect("a source of less than 4 GiB declares fewer things") }
    }

    /// The file that declares it.
    pub fn file(self) -> FileId {
        self.file
    }

    /// Its position among the functions of its file, from 0.
    pub fn index(self) -> usize {
        self.index as usize
    }
}

/// Functions of one or several files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Functions {
    by_id: BTreeMap<FunctionId, Arc<Function>>,
}

impl Functions {
    /// The function `id`, if it is one of these.
    pub fn get(&self, id: FunctionId) -> Option<&Function> {
        self.by_id.get(&id).map(|function| &**function)
    }

    /// The function `id`, to be kept elsewhere too.
    pub fn shared(&self, id: FunctionId) -> Option<Arc<Function>> {
        self.by_id.get(&id).cloned()
    }

    /// All of them, file by file, in source order.
    pub fn iter(&self) -> impl Iterator<Item = (FunctionId, &Function)> {
        self.by_id.iter().map(|(id, function)| (*id, &**function))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Adds a function, or replaces the one with this number.
    pub fn insert(&mut self, id: FunctionId, function: Arc<Function>) {
        self.by_id.insert(id, function);
    }
}

/// Numbers functions as those of the first file, in order.
impl FromIterator<Function> for Functions {
    fn from_iter<I: IntoIterator<Item = Function>>(functions: I) -> Self {
        let numbered = functions.into_iter().enumerate();
        let by_id = numbered.map(|(index, function)| (FunctionId::new(FileId::default(), index), Arc::new(function)));
        Self { by_id: by_id.collect() }
    }
}
