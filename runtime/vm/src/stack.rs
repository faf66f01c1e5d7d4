//! Moving, copying and dropping items.

use crate::error::ScriptError;
use crate::item::Item;
use crate::machine::{Machine, Outcome};

impl Machine<'_> {
    pub(crate) fn push_alt(&mut self) -> Outcome {
        let item = self.stack.pop().ok_or(ScriptError::StackUnderflow)?;
        self.alt.push(item);
        self.measure_room();
        Ok(())
    }

    pub(crate) fn pop_alt(&mut self) -> Outcome {
        let item = self.alt.pop().ok_or(ScriptError::AltStackUnderflow)?;
        self.cost += item.len() as u64;
        self.stack.push(item);
        self.measure_room();
        Ok(())
    }

    #[inline]
    pub(crate) fn drop_top(&mut self) -> Outcome {
        self.pop().map(|_| ())
    }

    pub(crate) fn drop_two(&mut self) -> Outcome {
        self.need(2)?;
        self.drop_top()?;
        self.drop_top()
    }

    #[inline]
    pub(crate) fn dup(&mut self) -> Outcome {
        let item = self.peek(0)?;
        self.push(item)
    }

    /// `OP_2DUP` and `OP_3DUP`.
    pub(crate) fn duplicate(&mut self, count: usize) -> Outcome {
        (0..count).try_for_each(|_| {
            let item = self.peek(count - 1)?;
            self.push(item)
        })
    }

    pub(crate) fn over_two(&mut self) -> Outcome {
        self.need(4)?;
        for _ in 0..2 {
            let item = self.peek(3)?;
            self.push(item)?;
        }
        Ok(())
    }

    pub(crate) fn rotate_two(&mut self) -> Outcome {
        let items = self.top(6)?;
        items.rotate_left(2);
        let moved: usize = items.iter().rev().take(2).map(|item| item.len()).sum();
        self.cost += moved as u64;
        Ok(())
    }

    pub(crate) fn swap_two(&mut self) -> Outcome {
        self.top(4)?.rotate_left(2);
        Ok(())
    }

    pub(crate) fn if_dup(&mut self) -> Outcome {
        let item = self.peek(0)?;
        if self.is_truthy(item) { self.push(item) } else { Ok(()) }
    }

    pub(crate) fn depth(&mut self) -> Outcome {
        self.push_int(self.stack.len() as i64)
    }

    pub(crate) fn nip(&mut self) -> Outcome {
        self.top(2)?.swap(0, 1);
        self.drop_top()
    }

    #[inline]
    pub(crate) fn over(&mut self) -> Outcome {
        let item = self.peek(1)?;
        self.push(item)
    }

    #[inline]
    pub(crate) fn pick(&mut self) -> Outcome {
        let depth = self.pop_depth()?;
        let item = self.peek(depth)?;
        self.push(item)
    }

    pub(crate) fn roll(&mut self) -> Outcome {
        let depth = self.pop_depth()?;
        let items = self.top(depth + 1)?;
        items.rotate_left(1);
        let len = items.last().map_or(0, |item| item.len());
        self.cost += (len + depth) as u64;
        Ok(())
    }

    #[inline]
    pub(crate) fn rotate(&mut self) -> Outcome {
        self.top(3)?.rotate_left(1);
        Ok(())
    }

    #[inline]
    pub(crate) fn swap(&mut self) -> Outcome {
        self.top(2)?.swap(0, 1);
        Ok(())
    }

    pub(crate) fn tuck(&mut self) -> Outcome {
        self.swap()?;
        self.over()
    }

    /// Takes the number of items to go down from the top; at least one item must be left below it.
    #[inline]
    fn pop_depth(&mut self) -> Result<usize, ScriptError> {
        self.need(2)?;
        let depth = self.pop()?;
        let depth = self.small_int(depth)?;
        usize::try_from(depth).ok().filter(|depth| *depth < self.stack.len()).ok_or(ScriptError::StackUnderflow)
    }

    /// The top `count` items.
    #[inline]
    fn top(&mut self, count: usize) -> Result<&mut [Item], ScriptError> {
        let start = self.stack.len().checked_sub(count).ok_or(ScriptError::StackUnderflow)?;
        self.stack.get_mut(start..).ok_or(ScriptError::StackUnderflow)
    }
}
