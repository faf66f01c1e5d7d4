//! Conditionals, loops and functions.
//!
//! One control stack holds everything that is open, so its depth is the sum that the limit speaks of. An open call
//! bounds what the function may close: what is below it belongs to the caller.

use crate::error::{FunctionId, ScriptError};
use crate::item::Item;
use crate::machine::{Code, Frame, Function, Machine, Outcome};

/// Something open.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Control {
    /// A conditional: whether its branch is taken, and whether the code around it runs.
    If { taken: bool, outer: bool },
    /// A loop and the offset after its `OP_BEGIN`.
    Loop { start: usize },
    /// A function call.
    Call,
}

impl<'a> Machine<'a> {
    fn open(&mut self, control: Control) -> Outcome {
        if self.control.len() >= self.rules.limits.control_depth {
            return Err(ScriptError::ControlDepth);
        }
        self.control.push(control);
        Ok(())
    }

    /// `OP_IF` and `OP_NOTIF` (`wanted` false) in code that runs; gives whether the branch runs.
    pub(crate) fn open_if(&mut self, wanted: bool) -> Result<bool, ScriptError> {
        let condition = self.pop().map_err(|_| ScriptError::UnbalancedConditional)?;
        let taken = self.is_truthy(condition) == wanted;
        if self.frames.is_empty() {
            self.turns.record(self.at, taken);
        }
        self.open(Control::If { taken, outer: true })?;
        Ok(taken)
    }

    /// `OP_IF` and `OP_NOTIF` in code that is skipped.
    pub(crate) fn open_skipped_if(&mut self) -> Outcome {
        self.open(Control::If { taken: false, outer: false })
    }

    /// `OP_ELSE`; gives whether the other branch runs.
    pub(crate) fn turn_if(&mut self) -> Result<bool, ScriptError> {
        match self.control.last_mut() {
            Some(Control::If { taken, outer }) => {
                *taken = !*taken;
                Ok(*taken && *outer)
            }
            Some(Control::Loop { .. } | Control::Call) | None => Err(ScriptError::UnbalancedConditional),
        }
    }

    /// `OP_ENDIF`; gives whether the code after it runs.
    pub(crate) fn close_if(&mut self) -> Result<bool, ScriptError> {
        match self.control.pop() {
            Some(Control::If { outer, .. }) => Ok(outer),
            Some(Control::Loop { .. } | Control::Call) | None => Err(ScriptError::UnbalancedConditional),
        }
    }

    /// `OP_BEGIN`, with the offset after it.
    pub(crate) fn open_loop(&mut self, start: usize) -> Outcome {
        self.open(Control::Loop { start })
    }

    /// `OP_UNTIL` in code that runs; gives where to go on if not after it.
    #[inline]
    pub(crate) fn until(&mut self) -> Result<Option<usize>, ScriptError> {
        let Some(&Control::Loop { start }) = self.control.last() else {
            return Err(ScriptError::UnbalancedLoop);
        };
        let condition = self.pop()?;
        if !self.is_truthy(condition) {
            return Ok(Some(start));
        }
        self.control.pop();
        Ok(None)
    }

    /// `OP_UNTIL` in code that is skipped.
    pub(crate) fn close_skipped_loop(&mut self) -> Outcome {
        match self.control.pop() {
            Some(Control::Loop { .. }) => Ok(()),
            Some(Control::If { .. } | Control::Call) | None => Err(ScriptError::UnbalancedLoop),
        }
    }

    /// `OP_DEFINE`.
    pub(crate) fn define(&mut self) -> Outcome {
        self.need(2)?;
        let id = self.pop()?;
        // The body moves from the stack to the table, so it stays counted.
        let body = self.peek(0)?;
        self.add_function(id, body)?;
        self.stack.pop();
        Ok(())
    }

    /// Puts a function into the table and charges its body.
    pub(crate) fn add_function(&mut self, id: Item, body: Item) -> Outcome {
        let key = self.function_key(id)?;
        if self.functions.insert(key, Function::Body(body)).is_some() {
            return Err(ScriptError::FunctionRedefined);
        }
        self.cost += body.len() as u64;
        self.measure_room();
        Ok(())
    }

    /// `OP_INVOKE`: goes into the function; the caller goes on at `next`.
    pub(crate) fn invoke(&mut self, next: usize) -> Outcome {
        let id = self.pop()?;
        let key = self.function_key(id)?;
        let function = self.function(key)?;
        self.open(Control::Call)?;
        let code = std::mem::replace(&mut self.code, function);
        self.frames.push(Frame { code, callee: key, at: self.at, next, separator: self.separator });
        self.separator = 0;
        Ok(())
    }

    /// Ends the code that runs; gives where its caller goes on, if it has one.
    pub(crate) fn leave(&mut self) -> Result<Option<usize>, ScriptError> {
        let Some(frame) = self.frames.last() else {
            return if self.control.is_empty() { Ok(None) } else { Err(ScriptError::UnbalancedConditional) };
        };
        let (next, separator) = (frame.next, frame.separator);
        if !matches!(self.control.pop(), Some(Control::Call)) {
            return Err(ScriptError::UnbalancedConditional);
        }
        if let Some(frame) = self.frames.pop() {
            self.code = frame.code;
        }
        self.separator = separator;
        Ok(Some(next))
    }

    /// The code of a function.
    #[inline]
    pub(crate) fn function(&mut self, key: FunctionId) -> Result<Code<'a>, ScriptError> {
        let body = match self.functions.get(&key) {
            Some(Function::Code(code)) => return Ok(code.clone()),
            Some(Function::Body(body)) => *body,
            None => return Err(ScriptError::FunctionUndefined),
        };
        Ok(self.first_call(key, body))
    }

    #[cold]
    fn first_call(&mut self, key: FunctionId, body: Item) -> Code<'a> {
        let code = self.keep_code(body);
        self.functions.insert(key, Function::Code(code.clone()));
        code
    }

    pub(crate) fn function_key(&self, id: Item) -> Result<FunctionId, ScriptError> {
        let bytes = self.view(id);
        let known = FunctionId::new(&bytes).filter(|_| bytes.len() <= self.rules.limits.function_id_bytes);
        known.ok_or(ScriptError::FunctionId)
    }
}
