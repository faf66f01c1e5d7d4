//! Frames and messages: what is written is read again, and nothing that comes panics or grows.

use std::net::{IpAddr, SocketAddr};

use crate::ledger::Books;
use p2p::{Frame, Framer, HEAD_BYTES, Inventory, Ledger, Message, NetAddress, Span, Version, WireError, frame, magic};
use proptest::prelude::*;
use spec::{BlockHash, Network, Txid};

const MAGIC: [u8; 4] = magic(Network::Devnet);

fn samples() -> Vec<Message> {
    let mut books = Books::new();
    books.mine(12, "frames");
    let block = books.chain.block_at(spec::Height::new(3)).unwrap().unwrap();
    let hash = block.header.hash();
    let address = |ip: &str| NetAddress { services: 5, socket: SocketAddr::new(ip.parse::<IpAddr>().unwrap(), 18_444) };
    let items =
        vec![Inventory::Tx(Txid::from_wire([1; 32])), Inventory::Block(hash), Inventory::Other(0x4000_0001, [3; 32])];
    let span = Span { locator: books.chain.locator(&books.tip()), stop: hash };
    let version = Version {
        version: 70_016,
        services: 33,
        time: -5,
        receiver: address("10.0.0.1"),
        sender: address("2001:db8::1"),
        nonce: u64::MAX,
        agent: "/Bitmodel:0.1.0/".into(),
        height: 12,
        relay: false,
    };
    vec![
        Message::Version(Box::new(version)),
        Message::Verack,
        Message::Ping(1),
        Message::Pong(2),
        Message::GetHeaders(span.clone()),
        Message::Headers(books.headers_after(&[], &BlockHash::default(), 2_000)),
        Message::SendHeaders,
        Message::GetBlocks(span),
        Message::Inv(items.clone()),
        Message::GetData(items.clone()),
        Message::NotFound(items),
        Message::Block(Box::new((*block).clone())),
        Message::Tx(Box::new(books.spend_coinbase(1, 1_000))),
        Message::FeeFilter(1_000),
        Message::Mempool,
        Message::Addr(vec![(7, address("1.2.3.4")), (8, address("::1"))]),
        Message::GetAddr,
        Message::Other,
    ]
}

/// What a stream of bytes says, and how it ends.
fn read(bytes: &[u8], piece: usize) -> (Vec<Message>, Option<WireError>) {
    let (mut framer, mut read) = (Framer::new(MAGIC), Vec::new());
    for bytes in bytes.chunks(piece) {
        framer.push(bytes);
        loop {
            match framer.next_frame() {
                Ok(Some(frame)) => read.extend(Message::decode(&frame)),
                Ok(None) => break,
                Err(error) => return (read, Some(error)),
            }
        }
    }
    (read, None)
}

#[test]
fn every_message_is_read_as_it_was_written_however_it_is_cut() {
    let samples = samples();
    let bytes: Vec<u8> = samples.iter().flat_map(|message| message.to_frame(MAGIC)).collect();
    for piece in [1, 7, 23, 24, 25, 1_000, bytes.len()] {
        assert_eq!(read(&bytes, piece), (samples.clone(), None), "{piece}");
    }
}

#[test]
fn messages_that_end_early_or_go_on_are_refused() {
    for message in samples() {
        let payload = message.encode();
        let decode = |payload: &[u8]| {
            Message::decode(&Frame { command: message.command().to_owned(), payload: payload.to_vec() })
        };
        assert_eq!(decode(&payload), Ok(message.clone()));
        let open = matches!(message, Message::Version(_) | Message::Other);
        let long: Vec<u8> = payload.iter().copied().chain([0]).collect();
        assert_eq!(decode(&long).is_err(), !open, "{message:?}");
        // The last byte of a version may be missing, and an old ping has none.
        let ends = if matches!(message, Message::Version(_)) { payload.len() - 1 } else { payload.len() };
        for end in 1..ends {
            assert!(decode(&payload[..end]).is_err(), "{message:?} {end}");
        }
    }
}

#[test]
fn what_is_no_frame_is_known_by_its_head() {
    let good = Message::Ping(5).to_frame(MAGIC);
    let changed = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    let long = |command: &str, len: u32| {
        let mut bytes = frame(MAGIC, command, &[]);
        bytes[16..20].copy_from_slice(&len.to_le_bytes());
        bytes
    };
    for (bytes, error) in [
        (good.clone(), None),
        (changed(0, 0), Some(WireError::Magic)),
        (vec![b'G'], Some(WireError::Magic)),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), Some(WireError::Magic)),
        (changed(4, 0), Some(WireError::Command)),
        (changed(9, b'x'), Some(WireError::Command)),
        (changed(4, 0xff), Some(WireError::Command)),
        (changed(20, !good[20]), Some(WireError::Checksum)),
        (changed(HEAD_BYTES, 9), Some(WireError::Checksum)),
        (long("ping", u32::MAX), Some(WireError::Length)),
        (long("block", 32_000_001), Some(WireError::Length)),
        (long("block", 32_000_000), None),
        (long("tx", 1_000_001), Some(WireError::Length)),
        (long("headers", 162_004), Some(WireError::Length)),
        (long("nonsense", 65_537), Some(WireError::Length)),
    ] {
        assert_eq!(read(&bytes, 5).1, error, "{bytes:?}");
    }
}

#[test]
fn counts_beyond_the_limits_are_refused_and_allocate_nothing() {
    let many = |count: usize, each: usize| {
        let mut payload = vec![];
        spec::codec::write_compact_size(&mut payload, count as u64);
        payload.resize(payload.len() + count * each, 0);
        payload
    };
    for (command, count, each) in
        [("inv", 50_000, 36), ("headers", 2_000, 81), ("addr", 1_000, 30), ("getdata", 50_000, 36)]
    {
        let decode = |payload| Message::decode(&Frame { command: command.to_owned(), payload });
        assert!(decode(many(count, each)).is_ok() && decode(many(count + 1, each)).is_err(), "{command}");
        let mut short = vec![0xff];
        short.extend(u64::MAX.to_le_bytes());
        assert!(decode(short).is_err());
    }
    let agent = |len: usize| {
        let mut payload = vec![0; 80];
        spec::codec::write_bytes(&mut payload, &vec![b'a'; len]);
        payload.extend([0; 5]);
        Message::decode(&Frame { command: "version".into(), payload })
    };
    assert!(agent(256).is_ok() && agent(257).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_streams_never_panic(
        which in prop::collection::vec(0..18usize, 1..4),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        piece in 1..200usize,
    ) {
        let samples = SAMPLES.get_or_init(samples);
        let mut bytes: Vec<u8> = which.iter().flat_map(|at| samples[*at].to_frame(MAGIC)).collect();
        for (at, byte) in &changes {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        let (messages, _) = read(&bytes, piece);
        prop_assert!(messages.len() <= which.len());
    }

    #[test]
    fn any_payload_is_a_message_or_an_error(which in 0..18usize, payload in prop::collection::vec(any::<u8>(), 0..400)) {
        let command = SAMPLES.get_or_init(samples)[which].command().to_owned();
        if let Ok(message) = Message::decode(&Frame { command, payload }) {
            let again = Message::decode(&Frame { command: message.command().into(), payload: message.encode() });
            prop_assert_eq!(again, Ok(message));
        }
    }
}

static SAMPLES: std::sync::OnceLock<Vec<Message>> = std::sync::OnceLock::new();
