//! The wire formats against hostile bytes: whatever decodes encodes to the same bytes, and nothing panics.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use proptest::collection::vec;
use proptest::prelude::*;
use spec::codec::Reader;
use spec::script::{LockKind, instructions};
use spec::token::{Capability, Nft};
use spec::tx::decode_outputs;
use spec::{
    Address, Block, BlockHeader, Category, CompactTarget, Network, OutPoint, RuleSet, Sats, Token, Transaction, TxIn,
    TxOut, Txid, asm,
};

fn token() -> impl Strategy<Value = Token> {
    let capability = prop_oneof![Just(Capability::None), Just(Capability::Mutable), Just(Capability::Minting)];
    let nft = proptest::option::of((capability, vec(any::<u8>(), 0..140)));
    (any::<[u8; 32]>(), 1..=spec::token::AMOUNT_MAX, nft).prop_map(|(category, amount, nft)| Token {
        category: Category::from_wire(category),
        amount,
        nft: nft.map(|(capability, commitment)| Nft { capability, commitment }),
    })
}

fn output() -> impl Strategy<Value = TxOut> {
    (any::<u64>(), proptest::option::of(token()), vec(any::<u8>(), 0..80)).prop_map(|(value, token, lock)| TxOut {
        value: Sats::from_wire(value),
        // A lock that opens with the prefix byte could read back as a token of its own.
        lock: if token.is_none() && lock.first() == Some(&0xef) { vec![] } else { lock },
        token,
    })
}

fn transaction() -> impl Strategy<Value = Transaction> {
    let outpoint = (any::<[u8; 32]>(), any::<u32>());
    let input = (outpoint, vec(any::<u8>(), 0..80), any::<u32>()).prop_map(|((txid, index), unlock, sequence)| TxIn {
        prevout: OutPoint { txid: Txid::from_wire(txid), index },
        unlock,
        sequence,
    });
    (any::<u32>(), vec(input, 0..4), vec(output(), 0..4), any::<u32>())
        .prop_map(|(version, inputs, outputs, locktime)| Transaction { version, inputs, outputs, locktime })
}

proptest! {
    #[test]
    fn transactions_read_back(tx in transaction()) {
        prop_assert_eq!(tx.len_bytes(), tx.encode().len());
        prop_assert_eq!(Transaction::decode(&tx.encode()), Ok(tx));
    }

    #[test]
    fn whatever_decodes_encodes_to_the_same_bytes(tx in transaction(), at in any::<prop::sample::Index>(), byte: u8, cut: bool) {
        let mut bytes = tx.encode();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else if let Some(slot) = bytes.get_mut(at) { *slot = byte }
        if let Ok(read) = Transaction::decode(&bytes) {
            prop_assert_eq!(read.encode(), bytes);
        }
    }

    #[test]
    fn blocks_read_back_and_survive_damage(txs in vec(transaction(), 0..3), time: u32, at in any::<prop::sample::Index>(), byte: u8) {
        let header = BlockHeader {
            version: 1,
            previous: Default::default(),
            merkle_root: [3; 32],
            time,
            bits: CompactTarget::EASIEST,
            nonce: 7,
        };
        let block = Block { header, transactions: txs };
        let mut bytes = block.encode();
        prop_assert_eq!(block.len_bytes(), bytes.len());
        prop_assert_eq!(Block::decode(&bytes), Ok(block));
        let at = at.index(bytes.len());
        *bytes.get_mut(at).unwrap() = byte;
        if let Ok(read) = Block::decode(&bytes) {
            prop_assert_eq!(read.encode(), bytes);
        }
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in vec(any::<u8>(), 0..300)) {
        let _ = Block::decode(&bytes);
        let _ = decode_outputs(&bytes);
        let _ = Token::read(&mut Reader::new(&bytes));
        let _ = LockKind::of(&bytes);
        let _ = Address::of_lock(Network::Main, &bytes);
        prop_assert!(instructions(&bytes).count() <= bytes.len());
        prop_assert_eq!(asm::assemble(&asm::disassemble(&bytes), RuleSet::Bitmodel), Ok(bytes));
    }

    #[test]
    fn no_text_makes_a_parser_panic(text in "\\PC{0,80}") {
        let _ = asm::assemble(&text, RuleSet::Bch2026);
        let _ = text.parse::<Sats>();
        let _ = text.parse::<Txid>();
        prop_assert!(Address::parse(&text, Network::Devnet).is_err());
    }
}
