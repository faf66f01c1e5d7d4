//! Addresses of nodes that may be called: few, from many sources, and only such as others can reach.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use spec::Network;

/// The most addresses.
pub const BOOK_MAX: usize = 1_000;
/// The most that come from one source, so that nobody fills the book alone.
const SOURCE_MAX: usize = BOOK_MAX / 8;
/// What was heard of longer ago, in seconds, is no longer told or taken.
const AGE_MAX_SECS: u64 = 30 * 24 * 60 * 60;
/// So long an address rests after a call that came to nothing, and twice as long after each further one.
const REST_SECS: u64 = 60;
/// After so many calls in a row that came to nothing an address is forgotten.
const FAILURES_MAX: u32 = 6;

/// An address, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where.
    pub socket: SocketAddr,
    /// What it is said to serve.
    pub services: u64,
    /// When it was last heard of, in seconds since 1970.
    pub seen: u64,
    /// Who told of it; itself, if it was reached.
    pub source: IpAddr,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    place: Place,
    failures: u32,
    /// Not called before, in seconds since 1970.
    rests_until: u64,
}

/// The addresses.
#[derive(Clone, Debug)]
pub struct Book {
    network: Network,
    all: BTreeMap<SocketAddr, Entry>,
}

impl Book {
    /// An empty book.
    #[must_use]
    pub const fn new(network: Network) -> Self {
        Self { network, all: BTreeMap::new() }
    }

    /// Takes in an address at a time in seconds since 1970; false if it cannot be reached by others, is too old, is known, or its
    /// source has told enough.
    ///
    /// A full book makes room among what the most talkative source told, if another one has something to tell.
    pub fn insert(&mut self, place: Place, now: u64) -> bool {
        let socket = canonical(place.socket);
        if !can_be_reached(self.network, socket) || place.seen.saturating_add(AGE_MAX_SECS) < now {
            return false;
        }
        // Who tells of a time to come knows nothing of it.
        let place = Place { socket, seen: place.seen.min(now), source: place.source.to_canonical(), ..place };
        if let Some(known) = self.all.get_mut(&socket) {
            known.place.seen = known.place.seen.max(place.seen);
            return false;
        }
        if self.told_by(group(place.source)) >= SOURCE_MAX || (self.all.len() >= BOOK_MAX && !self.make_room(&place)) {
            return false;
        }
        self.all.insert(socket, Entry { place, failures: 0, rests_until: 0 });
        true
    }

    fn told_by(&self, source: IpAddr) -> usize {
        self.all.values().filter(|entry| group(entry.place.source) == source).count()
    }

    /// Forgets one address of the source that told most, unless the newcomer's has told as many.
    fn make_room(&mut self, newcomer: &Place) -> bool {
        let mut told: BTreeMap<IpAddr, usize> = BTreeMap::new();
        for entry in self.all.values() {
            *told.entry(group(entry.place.source)).or_default() += 1;
        }
        let most = told.iter().max_by_key(|(_, count)| **count).map(|(source, _)| *source);
        let own = told.get(&group(newcomer.source)).copied().unwrap_or(0);
        let Some(most) = most.filter(|most| told.get(most).is_some_and(|count| *count > own)) else { return false };
        let theirs = self.all.values().filter(|entry| group(entry.place.source) == most);
        let worst = theirs.max_by_key(|entry| (entry.failures, u64::MAX - entry.place.seen));
        let Some(worst) = worst.map(|entry| entry.place.socket) else { return false };
        self.all.remove(&worst).is_some()
    }

    /// A node was reached: it speaks for itself now.
    pub fn reached(&mut self, socket: SocketAddr, services: u64, now: u64) {
        let socket = canonical(socket);
        let place = Place { socket, services, seen: now, source: socket.ip() };
        self.insert(place, now);
        if let Some(entry) = self.all.get_mut(&socket) {
            *entry = Entry { place, failures: 0, rests_until: 0 };
        }
    }

    /// A call came to nothing.
    pub fn failed(&mut self, socket: SocketAddr, now: u64) {
        let socket = canonical(socket);
        let Some(entry) = self.all.get_mut(&socket) else { return };
        entry.failures += 1;
        entry.rests_until = now.saturating_add(REST_SECS << entry.failures.min(10));
        if entry.failures >= FAILURES_MAX {
            self.all.remove(&socket);
        }
    }

    /// The addresses that may be called now.
    pub fn ready(&self, now: u64) -> impl Iterator<Item = &Place> {
        self.all.values().filter(move |entry| entry.rests_until <= now).map(|entry| &entry.place)
    }

    /// All addresses that are not too old, in their order.
    pub fn iter(&self, now: u64) -> impl Iterator<Item = &Place> {
        let fresh = move |place: &&Place| place.seen.saturating_add(AGE_MAX_SECS) >= now;
        self.all.values().map(|entry| &entry.place).filter(fresh)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

fn canonical(socket: SocketAddr) -> SocketAddr {
    SocketAddr::new(socket.ip().to_canonical(), socket.port())
}

/// Addresses that one party is likely to hold together: 16 bits of the older kind, 32 of the newer; each by itself on one machine.
fn group(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) if !ip.is_loopback() => IpAddr::V4((ip.to_bits() & 0xffff_0000).into()),
        IpAddr::V6(ip) if !ip.is_loopback() => IpAddr::V6((ip.to_bits() & !0 << 96).into()),
        ip => ip,
    }
}

/// Whether others can reach an address. On a devnet they may be on this machine, or in this house.
fn can_be_reached(network: Network, socket: SocketAddr) -> bool {
    let ip = socket.ip();
    let is_one = socket.port() != 0 && !ip.is_unspecified() && !ip.is_multicast();
    is_one && (network == Network::Devnet || is_public(ip))
}

/// Source: the registries of special addresses, RFC 6890 and what came later.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            let special =
                matches!((a, b, c), (0 | 240..=255, ..) | (100, 64..=127, _) | (198, 18 | 19, _) | (192, 0, 0));
            !(special || ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_documentation())
        }
        IpAddr::V6(ip) => {
            let [a, b, ..] = ip.segments();
            // Of the addresses that are given out, those for examples and those that carry one of the older kind are none.
            a & 0xe000 == 0x2000 && !matches!((a, b), (0x2001, 0xdb8 | 0) | (0x2002, _))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn place(socket: &str, source: [u8; 4]) -> Place {
        Place { socket: socket.parse().unwrap(), services: 1, seen: NOW, source: source.into() }
    }

    #[test]
    fn only_what_others_can_reach_is_kept() {
        for (socket, devnet, main) in [
            ("8.8.8.8:8333", true, true),
            ("[2a00:1450::1]:8333", true, true),
            ("[::ffff:8.8.8.8]:8333", true, true),
            ("127.0.0.1:8333", true, false),
            ("[::1]:8333", true, false),
            ("[::ffff:10.0.0.1]:8333", true, false),
            ("10.1.2.3:1", true, false),
            ("172.16.0.1:1", true, false),
            ("192.168.1.1:1", true, false),
            ("169.254.1.1:1", true, false),
            ("100.64.0.1:1", true, false),
            ("192.0.2.1:1", true, false),
            ("198.18.0.1:1", true, false),
            ("[fe80::1]:1", true, false),
            ("[fd00::1]:1", true, false),
            ("[2001:db8::1]:1", true, false),
            ("8.8.8.8:0", false, false),
            ("0.0.0.0:1", false, false),
            ("[::]:1", false, false),
            ("224.0.0.1:1", false, false),
        ] {
            for (network, kept) in [(Network::Devnet, devnet), (Network::Test, main), (Network::Main, main)] {
                let mut book = Book::new(network);
                assert_eq!(book.insert(place(socket, [9; 4]), NOW), kept, "{socket} on {}", network.name());
                assert_eq!(book.len(), usize::from(kept));
            }
        }
    }

    #[test]
    fn nobody_fills_the_book_alone_and_it_never_overflows() {
        let mut book = Book::new(Network::Main);
        let mut tell = |source: [u8; 4], at: u32| {
            book.insert(place(&format!("{}:8333", IpAddr::from((0x2000_0000 + at).to_be_bytes())), source), NOW);
            book.len()
        };
        // Neighbours count as one.
        for at in 0..2_000 {
            tell([5, 5, 0, (at % 200) as u8], at);
        }
        assert_eq!(tell([5, 5, 9, 9], 2_000), SOURCE_MAX);
        for source in 0..100 {
            for at in 0..200 {
                assert!(tell([60, source, 0, 1], 10_000 + u32::from(source) * 1_000 + at) <= BOOK_MAX);
            }
        }
        let by = |book: &Book, source: [u8; 4]| book.told_by(group(source.into()));
        assert_eq!(book.len(), BOOK_MAX);
        // Whoever came late has a place too, because the talkative make room.
        assert!((0..100).all(|source| by(&book, [60, source, 0, 1]) > 0), "{book:?}");
    }

    #[test]
    fn times_are_bounded_and_calls_in_vain_are_made_ever_more_rarely() {
        let mut book = Book::new(Network::Devnet);
        let old = Place { seen: NOW - AGE_MAX_SECS - 1, ..place("10.0.0.1:1", [9; 4]) };
        let ahead = Place { seen: NOW + 1_000_000, ..place("10.0.0.2:1", [9; 4]) };
        assert_eq!([old, ahead, ahead].map(|place| book.insert(place, NOW)), [false, true, false]);
        assert_eq!(book.iter(NOW).map(|place| place.seen).collect::<Vec<_>>(), [NOW]);
        assert_eq!(book.iter(NOW + AGE_MAX_SECS + 1).count(), 0);
        let mut waits = Vec::new();
        let mut now = NOW;
        while !book.is_empty() {
            book.failed(ahead.socket, now);
            let ready = (now..now + 100_000).step_by(60).find(|time| book.ready(*time).count() > 0);
            waits.extend(ready.map(|time| time - now));
            now = ready.unwrap_or(now);
        }
        assert_eq!(waits, [120, 240, 480, 960, 1_920]);
        book.insert(place("10.0.0.3:1", [9; 4]), NOW);
        book.failed("10.0.0.3:1".parse().unwrap(), NOW);
        book.reached("10.0.0.3:1".parse().unwrap(), 33, NOW);
        assert_eq!(
            book.ready(NOW).map(|place| (place.services, place.source)).collect::<Vec<_>>(),
            [(33, [10, 0, 0, 3].into())]
        );
    }
}
