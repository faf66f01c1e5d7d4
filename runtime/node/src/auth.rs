//! Who may call: the cookie file and the check of HTTP basic authentication.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use spec::hash::hmac_sha256;

use crate::config::{Auth, Config, RpcAuth, StartError, cookie_path};

/// The user that a cookie stands for.
const COOKIE_USER: &str = "__cookie__";

/// What a caller must present.
#[derive(Clone)]
pub(crate) struct Credentials {
    pair: String,
    salted: Vec<RpcAuth>,
}

impl Credentials {
    /// The credentials that `config` asks for; a cookie's password is made of `randomness`.
    pub(crate) fn new(auth: &Auth, salted: &[RpcAuth], randomness: [u8; 32]) -> Self {
        let pair = match auth {
            Auth::Cookie => format!("{COOKIE_USER}:{}", hex::encode(randomness)),
            Auth::Password { user, password } => format!("{user}:{password}"),
        };
        Self { pair, salted: salted.to_vec() }
    }

    /// User and password with a colon between.
    pub(crate) fn pair(&self) -> &str {
        &self.pair
    }

    /// Whether the value of an `Authorization` header presents these credentials.
    pub(crate) fn admit(&self, header: &[u8]) -> bool {
        let Some((scheme, encoded)) = header.split_at_checked(6) else { return false };
        let decoded = base64::engine::general_purpose::STANDARD.decode(encoded.trim_ascii());
        let known = |given: Vec<u8>| same(&given, self.pair.as_bytes()) || self.admit_salted(&given);
        scheme.eq_ignore_ascii_case(b"Basic ") && decoded.is_ok_and(known)
    }

    fn admit_salted(&self, given: &[u8]) -> bool {
        let Some(colon) = given.iter().position(|byte| *byte == b':') else { return false };
        let (user, password) = (given.get(..colon).unwrap_or_default(), given.get(colon + 1..).unwrap_or_default());
        let fits = |one: &RpcAuth| {
            let hash = hmac_sha256(one.salt.as_bytes(), &[password]);
            same(user, one.user.as_bytes()) & same(&hash, &one.hash)
        };
        self.salted.iter().any(fits)
    }
}

/// Equality that takes as long wherever the difference is.
fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && left.iter().zip(right).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

/// The cookie file; removed when dropped.
#[derive(Debug)]
pub(crate) struct CookieFile(PathBuf);

impl CookieFile {
    /// Writes the cookie if `config` has one and a place for it.
    pub(crate) fn write(config: &Config, credentials: &Credentials) -> Result<Option<Self>, StartError> {
        let (Auth::Cookie, Some(data_dir)) = (&config.auth, &config.data_dir) else { return Ok(None) };
        let path = cookie_path(data_dir, config.network);
        match write_private(&path, credentials.pair()) {
            Ok(()) => Ok(Some(Self(path))),
            Err(source) => Err(StartError::Cookie { path, source }),
        }
    }
}

impl Drop for CookieFile {
    fn drop(&mut self) {
        // Nothing depends on it: a stale cookie opens no door.
        let _ = fs::remove_file(&self.0);
    }
}

/// Writes a new file that only its owner reads, then moves it into place, so that no reader sees half of it.
pub(crate) fn write_private(path: &Path, content: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let fresh = path.with_extension("new");
    let _ = fs::remove_file(&fresh);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&fresh)?.write_all(content.as_bytes())?;
    fs::rename(fresh, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn salted_passwords_are_admitted_beside_the_cookie() {
        let salted = |user: &str, password: &str| {
            let hash = hex::encode(hmac_sha256(b"salt", &[password.as_bytes()]));
            format!("{user}:salt${hash}").parse::<RpcAuth>().unwrap()
        };
        let users = [salted("alice", "a:b"), salted("bob", "")];
        let credentials = Credentials::new(&Auth::Cookie, &users, [7; 32]);
        let header = |pair: &str| format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
        for (pair, admitted) in [
            ("alice:a:b", true),
            ("bob:", true),
            (credentials.pair(), true),
            ("alice:a", false),
            ("bob:a:b", false),
            ("alice:", false),
            (":", false),
            ("alice", false),
        ] {
            assert_eq!(credentials.admit(header(pair).as_bytes()), admitted, "{pair}");
        }
        for text in ["alice:salt", "alice:salt$00", ":salt$", "alice:$00", "alice"] {
            assert!(text.parse::<RpcAuth>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_the_exact_pair_is_admitted() {
        let auth = Auth::Password { user: "alice".into(), password: "a:b".into() };
        let credentials = Credentials::new(&auth, &[], [0; 32]);
        let header = |pair: &str| format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
        assert!(credentials.admit(header("alice:a:b").as_bytes()));
        assert!(credentials.admit(header("alice:a:b").replace("Basic", "basic").as_bytes()));
        for refused in ["alice:a:c", "alice:", "", "alice:a:bb"] {
            assert!(!credentials.admit(header(refused).as_bytes()), "{refused}");
        }
        for garbage in [&b""[..], b"Basic", b"Basic !", b"Bearer abc", b"\xff\xff\xff\xff\xff\xff\xff"] {
            assert!(!credentials.admit(garbage));
        }
    }
}
