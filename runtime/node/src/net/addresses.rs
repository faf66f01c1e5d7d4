//! The file of known addresses. What is wrong with it costs the addresses, not the start.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use p2p::{Book, Place};
use serde::{Deserialize, Serialize};
use spec::Network;

use crate::auth::write_private;

/// A full book takes far less.
const BYTES_MAX: u64 = 1 << 20;
const VERSION: u32 = 1;

/// Why a file of addresses is not read.
#[derive(Debug, thiserror::Error)]
enum BookError {
    #[error("it cannot be read: {0}")]
    Io(#[from] std::io::Error),
    #[error("it has more than {BYTES_MAX} bytes")]
    TooLong,
    #[error("it is no list of addresses: {0}")]
    Form(#[from] serde_json::Error),
    #[error("it has version {0}, this node reads {VERSION}")]
    Version(u32),
}

#[derive(Serialize, Deserialize)]
struct Kept {
    version: u32,
    addresses: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    address: SocketAddr,
    services: u64,
    time: u64,
    source: IpAddr,
}

/// The addresses in a file, as far as a book takes them; none if there is no file, or a wrong one, of which the log tells.
pub(super) fn read(path: &Path, network: Network, now: u64) -> Book {
    let mut book = Book::new(network);
    match read_lines(path) {
        Ok(lines) => {
            for Line { address, services, time, source } in lines {
                book.insert(Place { socket: address, services, seen: time, source }, now);
            }
        }
        Err(BookError::Io(error)) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => tracing::warn!(path = %path.display(), %error, "the known addresses are forgotten"),
    }
    book
}

fn read_lines(path: &Path) -> Result<Vec<Line>, BookError> {
    let mut bytes = Vec::new();
    File::open(path)?.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(BookError::TooLong);
    }
    let kept: Kept = serde_json::from_slice(&bytes)?;
    if kept.version == VERSION { Ok(kept.addresses) } else { Err(BookError::Version(kept.version)) }
}

/// Writes down what is known.
pub(super) fn save(path: &Path, book: &Book, now: u64) {
    let line = |place: &Place| Line {
        address: place.socket,
        services: place.services,
        time: place.seen,
        source: place.source,
    };
    let kept = Kept { version: VERSION, addresses: book.iter(now).map(line).collect() };
    let written = serde_json::to_string(&kept).map_err(Into::into).and_then(|text| write_private(path, &text));
    if let Err(error) = written {
        tracing::error!(%error, "the known addresses were not saved");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_it_was_written_and_a_wrong_one_is_an_empty_book() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("peers.json");
        let now = 1_800_000_000;
        assert!(read(&path, Network::Main, now).is_empty());
        let mut book = Book::new(Network::Main);
        for at in 0..5_000u32 {
            let [a, b, c, d] = (0x2000_0000 + at * 65_537).to_be_bytes();
            let place = Place {
                socket: ([a, b, c, d], 8_333).into(),
                services: 33,
                seen: now - u64::from(at),
                source: IpAddr::from([60, d, 0, 1]),
            };
            book.insert(place, now);
        }
        assert_eq!(book.len(), p2p::BOOK_MAX);
        save(&path, &book, now);
        let again = read(&path, Network::Main, now);
        assert_eq!(again.iter(now).collect::<Vec<_>>(), book.iter(now).collect::<Vec<_>>());
        let text = std::fs::read_to_string(&path).unwrap();
        for (wrong, why) in [
            ("".to_owned(), "no list"),
            ("{}".to_owned(), "no list"),
            (text.replace("\"version\":1", "\"version\":2"), "version 2"),
            (text.replace(":8333", ":83330"), "no list"),
            (text.chars().take(10_000).collect(), "no list"),
            (format!("{text}{}", " ".repeat(1 << 20)), "more than"),
        ] {
            std::fs::write(&path, wrong).unwrap();
            assert!(read(&path, Network::Main, now).is_empty());
            assert!(read_lines(&path).is_err_and(|error| error.to_string().contains(why)), "{why}");
        }
        // Addresses that nobody can reach are not believed for standing in a file.
        std::fs::write(&path, text.replace("\"32.", "\"10.")).unwrap();
        assert!(read(&path, Network::Main, now).len() < p2p::BOOK_MAX);
    }
}
