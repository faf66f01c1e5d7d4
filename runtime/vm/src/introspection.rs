//! Facts about the transaction.

use spec::token::Capability;
use spec::tx::TxIn;
use spec::{Token, TxOut};

use crate::error::ScriptError;
use crate::item::{Place, Source};
use crate::machine::{Machine, Outcome};

impl<'a> Machine<'a> {
    pub(crate) fn version_bytes(&mut self) -> Outcome {
        self.require_bitmodel()?;
        self.push_copy(&self.context.tx().version.to_le_bytes())
    }

    pub(crate) fn tx_version(&mut self) -> Outcome {
        self.push_int(i64::from(self.context.tx().version.cast_signed()))
    }

    pub(crate) fn active_bytecode(&mut self) -> Outcome {
        let len = self.active_code().len();
        self.push_code(self.code.source, self.separator, len)
    }

    pub(crate) fn utxo_value(&mut self) -> Outcome {
        let (_, output) = self.pop_spent()?;
        self.push_wide(output.value.get().cast_signed())
    }

    pub(crate) fn utxo_bytecode(&mut self) -> Outcome {
        let (index, output) = self.pop_spent()?;
        self.push_code(Source::pack(Place::Spent(index)), 0, output.lock.len())
    }

    pub(crate) fn outpoint_tx_hash(&mut self) -> Outcome {
        let (_, input) = self.pop_input()?;
        self.push_copy(input.prevout.txid.as_wire())
    }

    pub(crate) fn outpoint_index(&mut self) -> Outcome {
        let (_, input) = self.pop_input()?;
        self.push_int(i64::from(input.prevout.index))
    }

    pub(crate) fn input_bytecode(&mut self) -> Outcome {
        let (index, input) = self.pop_input()?;
        self.push_code(Source::pack(Place::Unlock(index)), 0, input.unlock.len())
    }

    pub(crate) fn input_sequence(&mut self) -> Outcome {
        let (_, input) = self.pop_input()?;
        self.push_int(i64::from(input.sequence))
    }

    pub(crate) fn output_value(&mut self) -> Outcome {
        let (_, output) = self.pop_output()?;
        self.push_wide(output.value.get().cast_signed())
    }

    pub(crate) fn output_bytecode(&mut self) -> Outcome {
        let (index, output) = self.pop_output()?;
        self.push_code(Source::pack(Place::Output(index)), 0, output.lock.len())
    }

    pub(crate) fn utxo_token_category(&mut self) -> Outcome {
        let (_, output) = self.pop_spent()?;
        self.push_category(output.token.as_ref())
    }

    pub(crate) fn utxo_token_commitment(&mut self) -> Outcome {
        let (_, output) = self.pop_spent()?;
        self.push_commitment(output.token.as_ref())
    }

    pub(crate) fn utxo_token_amount(&mut self) -> Outcome {
        let (_, output) = self.pop_spent()?;
        self.push_amount(output.token.as_ref())
    }

    pub(crate) fn output_token_category(&mut self) -> Outcome {
        let (_, output) = self.pop_output()?;
        self.push_category(output.token.as_ref())
    }

    pub(crate) fn output_token_commitment(&mut self) -> Outcome {
        let (_, output) = self.pop_output()?;
        self.push_commitment(output.token.as_ref())
    }

    pub(crate) fn output_token_amount(&mut self) -> Outcome {
        let (_, output) = self.pop_output()?;
        self.push_amount(output.token.as_ref())
    }

    fn pop_index(&mut self) -> Result<Option<usize>, ScriptError> {
        let index = self.pop()?;
        Ok(usize::try_from(self.small_int(index)?).ok())
    }

    fn pop_input(&mut self) -> Result<(usize, &'a TxIn), ScriptError> {
        let index = self.pop_index()?;
        let inputs = &self.context.tx().inputs;
        index.and_then(|index| Some((index, inputs.get(index)?))).ok_or(ScriptError::InputIndex)
    }

    fn pop_spent(&mut self) -> Result<(usize, &'a TxOut), ScriptError> {
        let index = self.pop_index()?;
        let spent = self.context.spent();
        index.and_then(|index| Some((index, spent.get(index)?))).ok_or(ScriptError::InputIndex)
    }

    fn pop_output(&mut self) -> Result<(usize, &'a TxOut), ScriptError> {
        let index = self.pop_index()?;
        let outputs = &self.context.tx().outputs;
        index.and_then(|index| Some((index, outputs.get(index)?))).ok_or(ScriptError::OutputIndex)
    }

    fn push_code(&mut self, source: Source, start: usize, len: usize) -> Outcome {
        if len > self.rules.limits.item_bytes {
            return Err(ScriptError::ItemSize);
        }
        self.push(self.memory.span(source, start, len))
    }

    /// The category's 32 bytes, and one more if the token may change or be made.
    fn push_category(&mut self, token: Option<&Token>) -> Outcome {
        let Some(token) = token else { return self.push_int(0) };
        let mark = self.memory.mark();
        self.memory.append(token.category.as_wire());
        match token.capability() {
            Some(Capability::Mutable) => self.memory.append(&[1]),
            Some(Capability::Minting) => self.memory.append(&[2]),
            Some(Capability::None) | None => {}
        }
        self.push_fresh(mark)
    }

    fn push_commitment(&mut self, token: Option<&Token>) -> Outcome {
        let nft = token.and_then(|token| token.nft.as_ref());
        self.push_copy(nft.map_or(&[], |nft| &nft.commitment))
    }

    fn push_amount(&mut self, token: Option<&Token>) -> Outcome {
        self.push_wide(token.map_or(0, |token| token.amount).cast_signed())
    }
}
