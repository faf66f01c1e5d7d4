//! The rules of tokens: amounts are conserved, non-fungible tokens come from somewhere, categories are born once.
//!
//! Source: CHIP-2022-02 (CashTokens), with commitments of up to 128 bytes since May 2026. A
//! category is named after a transaction whose output 0 is spent: only such a spend creates it.
//! Tokens may always be left out of the outputs, which destroys them.

use std::collections::BTreeMap;

use spec::token::{AMOUNT_MAX, Capability, Nft};
use spec::{Category, Token, Transaction, TxOut};

use crate::error::TxError;

/// The most bytes of a commitment.
const COMMITMENT_BYTES_MAX: usize = 128;

/// What the inputs of a transaction entitle its outputs to, for one category.
#[derive(Default)]
struct Rights<'a> {
    /// The category is created here: anything goes, within the largest amount.
    genesis: bool,
    /// Tokens of the category are spent here.
    spent: bool,
    amount: u64,
    minting: bool,
    mutable: usize,
    immutable: BTreeMap<&'a [u8], usize>,
}

/// Whether the outputs' tokens follow from the spent outputs' tokens.
///
/// # Errors
/// The first rule that is broken, outputs in order.
pub fn check_tokens(tx: &Transaction, spent: &[TxOut]) -> Result<(), TxError> {
    if tx.outputs.iter().any(TxOut::has_malformed_token) {
        return Err(TxError::OutputTokenPrefix);
    }
    if spent.iter().any(TxOut::has_malformed_token) {
        return Err(TxError::InputTokenPrefix);
    }
    let mut rights = rights_of(tx, spent)?;
    let mut tokens = tx.outputs.iter().filter_map(|output| output.token.as_ref());
    tokens.try_for_each(|token| exercise(&mut rights, token))
}

fn rights_of<'a>(tx: &Transaction, spent: &'a [TxOut]) -> Result<BTreeMap<Category, Rights<'a>>, TxError> {
    let mut rights: BTreeMap<Category, Rights<'a>> = BTreeMap::new();
    for input in tx.inputs.iter().filter(|input| input.prevout.index == 0) {
        rights.entry(Category::from_wire(*input.prevout.txid.as_wire())).or_default().genesis = true;
    }
    for token in spent.iter().filter_map(|output| output.token.as_ref()) {
        check_commitment(token)?;
        rights.entry(token.category).or_default().add(token)?;
    }
    Ok(rights)
}

fn check_commitment(token: &Token) -> Result<(), TxError> {
    let long = token.nft.as_ref().is_some_and(|nft| nft.commitment.len() > COMMITMENT_BYTES_MAX);
    if long { Err(TxError::TokenCommitment) } else { Ok(()) }
}

fn exercise(rights: &mut BTreeMap<Category, Rights<'_>>, token: &Token) -> Result<(), TxError> {
    check_commitment(token)?;
    let rights = rights.get_mut(&token.category).ok_or(TxError::TokenCategory)?;
    if rights.genesis {
        return rights.create(token);
    }
    rights.amount = rights.amount.checked_sub(token.amount).ok_or(TxError::TokenSpendsTooMuch)?;
    match &token.nft {
        Some(nft) if !rights.take(nft) => Err(TxError::NftExNihilo),
        _ => Ok(()),
    }
}

impl<'a> Rights<'a> {
    /// Counts a spent token.
    fn add(&mut self, token: &'a Token) -> Result<(), TxError> {
        self.spent = true;
        self.amount = checked_amount(self.amount, token.amount)?;
        match &token.nft {
            Some(Nft { capability: Capability::Minting, .. }) => self.minting = true,
            Some(Nft { capability: Capability::Mutable, .. }) => self.mutable += 1,
            Some(Nft { capability: Capability::None, commitment }) => {
                *self.immutable.entry(commitment.as_slice()).or_default() += 1;
            }
            None => {}
        }
        Ok(())
    }

    /// Counts a token of a category that is created here.
    fn create(&mut self, token: &Token) -> Result<(), TxError> {
        if self.spent {
            return Err(TxError::TokenGenesisTwice);
        }
        self.amount = checked_amount(self.amount, token.amount)?;
        Ok(())
    }

    /// Uses up the least right that allows `nft`: the same immutable token, then a mutable one, then minting, which is never used up.
    fn take(&mut self, nft: &Nft) -> bool {
        if nft.capability == Capability::None
            && let Some(left) = self.immutable.get_mut(nft.commitment.as_slice())
            && *left > 0
        {
            *left -= 1;
            return true;
        }
        if nft.capability != Capability::Minting && self.mutable > 0 {
            self.mutable -= 1;
            return true;
        }
        self.minting
    }
}

fn checked_amount(sum: u64, more: u64) -> Result<u64, TxError> {
    sum.checked_add(more).filter(|sum| *sum <= AMOUNT_MAX).ok_or(TxError::TokenOverflow)
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::{OutPoint, Sats, TxIn, Txid};

    /// A token in a few letters: category, then `f` amount, `i`/`m`/`M` an immutable, mutable or minting NFT with a commitment letter.
    fn token(text: &str) -> Option<Token> {
        let mut letters = text.bytes();
        let category = Category::from_wire([letters.next()?; 32]);
        let kind = letters.next()?;
        let rest: Vec<u8> = letters.collect();
        let capability = match kind {
            b'f' => {
                let amount = String::from_utf8(rest).unwrap().parse().unwrap();
                return Some(Token { category, amount, nft: None });
            }
            b'i' => Capability::None,
            b'm' => Capability::Mutable,
            _ => Capability::Minting,
        };
        Some(Token { category, amount: 0, nft: Some(Nft { capability, commitment: rest }) })
    }

    fn verdict(spent: &str, outputs: &str, genesis: bool) -> &'static str {
        let outs = |text: &str| -> Vec<TxOut> {
            text.split_whitespace()
                .map(|word| TxOut { value: Sats::ONE, token: token(word), lock: vec![0x51] })
                .collect()
        };
        let spent = outs(spent);
        let input = |at: usize| {
            let index = if genesis && at == 0 { 0 } else { 1 };
            TxIn { prevout: OutPoint { txid: Txid::from_wire([b'g'; 32]), index }, unlock: vec![], sequence: 0 }
        };
        let tx = Transaction {
            version: 2,
            inputs: (0..spent.len()).map(input).collect(),
            outputs: outs(outputs),
            locktime: 0,
        };
        check_tokens(&tx, &spent).map_or_else(|error| error.reason(), |()| "ok")
    }

    #[test]
    fn tokens_come_from_tokens() {
        let max = AMOUNT_MAX.to_string();
        let rows = [
            ("-", "-", "ok"),
            ("af5", "af5", "ok"),
            ("af5", "af2 af3", "ok"),
            ("af5", "af2", "ok"),
            ("af5", "af6", "bad-txns-token-in-belowout"),
            ("af5", "bf1", "bad-txns-token-invalid-category"),
            ("-", "af1", "bad-txns-token-invalid-category"),
            ("-", "aix", "bad-txns-token-invalid-category"),
            ("aix", "aix", "ok"),
            ("aix", "-", "ok"),
            ("aix", "aiy", "bad-txns-token-nft-ex-nihilo"),
            ("aix", "aix aix", "bad-txns-token-nft-ex-nihilo"),
            ("aix", "amx", "bad-txns-token-nft-ex-nihilo"),
            ("amx", "amy", "ok"),
            ("amx", "aiy", "ok"),
            ("amx", "aMx", "bad-txns-token-nft-ex-nihilo"),
            ("amx", "amx aiy", "bad-txns-token-nft-ex-nihilo"),
            ("amx aiz", "aiy aiz", "ok"),
            ("aMx", "aMx aMy amz aiw aiw", "ok"),
            ("aMx", "af1", "bad-txns-token-in-belowout"),
            ("aix af5", "aix af5", "ok"),
        ];
        for (spent, outputs, expected) in rows {
            assert_eq!(verdict(spent, outputs, false), expected, "{spent} -> {outputs}");
        }
        assert_eq!(verdict(&format!("af{max} af1"), "-", false), "bad-txns-token-amount-overflow");
    }

    #[test]
    fn spending_output_0_creates_a_category_once() {
        let max = AMOUNT_MAX.to_string();
        let rows = [
            ("-".to_owned(), "gf5 gMx gix".to_owned(), "ok"),
            ("-".to_owned(), format!("gf{max}"), "ok"),
            ("-".to_owned(), format!("gf{max} gf1"), "bad-txns-token-amount-overflow"),
            ("gf5".to_owned(), "gf5".to_owned(), "bad-txns-token-dupe-genesis"),
            ("af5".to_owned(), "gf9 af5".to_owned(), "ok"),
        ];
        for (spent, outputs, expected) in rows {
            assert_eq!(verdict(&spent, &outputs, true), expected, "{spent} -> {outputs}");
        }
    }

    #[test]
    fn a_commitment_has_at_most_128_bytes() {
        for (len, expected) in [(128, "ok"), (129, "bad-txns-token-commitment-oversized")] {
            let nft = format!("gi{}", "x".repeat(len));
            assert_eq!(verdict("-", &nft, true), expected, "{len}");
            assert_eq!(verdict(&nft, "-", false), expected, "{len}");
        }
    }
}
