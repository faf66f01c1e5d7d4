//! Private keys: from a phrase of words, by derivation, by name.
//!
//! Source: BIP 39 (words to seed), BIP 32 (seed to tree of keys), BIP 44 (which branch). The
//! branch is `m/44'/1'/0'/0/i`: coin type 1 is every test network.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use secp256k1::{PublicKey, Scalar, SecretKey};
use sha2::Sha512;
use spec::address::Payee;
use spec::hash::hash160;
use spec::script::p2pkh;
use spec::{Address, DEVNET_NAMES, Network, base58};

/// The phrase of the development network's accounts.
///
/// It is public: everybody can spend what its keys hold, so it must never hold anything of worth.
pub const DEVNET_MNEMONIC: &str = "test test test test test test test test test test test junk";

/// A private key and its public key.
///
/// ```
/// use wallet::{Accounts, Key};
/// let alice = Accounts::devnet().find("@alice").unwrap();
/// let signature = alice.sign(&[7; 32]);
/// assert!(vm::schnorr::verify(&signature, &[7; 32], &alice.public()));
/// assert_eq!(Key::from_wif(&alice.wif(spec::Network::Devnet)), Ok(alice));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key {
    secret: SecretKey,
    public: PublicKey,
}

/// 32 bytes are no private key: zero, or not below the order of the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are no private key")]
pub struct KeyError;

/// Why a text is no private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WifError {
    /// A character is wrong or missing.
    #[error("a character of the private key is wrong or missing")]
    Checksum,
    /// It is not a private key of 32 bytes for a compressed public key.
    #[error("the text is no private key for a compressed public key")]
    Kind,
}

const WIF_MAIN: u8 = 0x80;
const WIF_TEST: u8 = 0xef;
const WIF_COMPRESSED: u8 = 0x01;

impl Key {
    /// The key with these 32 bytes.
    ///
    /// # Errors
    /// [`KeyError`] for the very few byte strings that are no keys.
    pub fn from_secret(secret: [u8; 32]) -> Result<Self, KeyError> {
        SecretKey::from_secret_bytes(secret).map(Self::new).map_err(|_| KeyError)
    }

    /// The key that a text in wallet import format holds, whatever its network.
    ///
    /// # Errors
    /// [`WifError`] says what is wrong.
    pub fn from_wif(text: &str) -> Result<Self, WifError> {
        let payload = base58::decode_checked(text).ok_or(WifError::Checksum)?;
        let [WIF_MAIN | WIF_TEST, secret @ .., WIF_COMPRESSED] = payload.as_slice() else { return Err(WifError::Kind) };
        let secret = secret.try_into().map_err(|_| WifError::Kind)?;
        Self::from_secret(secret).map_err(|_| WifError::Kind)
    }

    fn new(secret: SecretKey) -> Self {
        Self { secret, public: secret.public_key() }
    }

    /// The private key in wallet import format.
    #[must_use]
    pub fn wif(&self, network: Network) -> String {
        let version = match network {
            Network::Main => WIF_MAIN,
            Network::Devnet | Network::Test => WIF_TEST,
        };
        base58::encode_checked(&[&[version], self.secret.as_secret_bytes().as_slice(), &[WIF_COMPRESSED]].concat())
    }

    /// The 33 bytes of the public key.
    #[must_use]
    pub fn public(&self) -> [u8; 33] {
        self.public.serialize()
    }

    /// The hash of the public key.
    #[must_use]
    pub fn public_hash(&self) -> [u8; 20] {
        hash160(&self.public())
    }

    /// The lock that pays to the key.
    #[must_use]
    pub fn lock(&self) -> Vec<u8> {
        p2pkh(&self.public_hash())
    }

    /// The address of [`Key::lock`].
    #[must_use]
    pub fn address(&self, network: Network) -> Address {
        Address::new(network, Payee::KeyHash(self.public_hash()))
    }

    /// The chain's Schnorr signature of `digest`; the same key and digest always give the same one.
    #[must_use]
    pub fn sign(&self, digest: &[u8; 32]) -> [u8; 64] {
        vm::schnorr::sign(self.secret.as_secret_bytes(), digest).expect("the bytes of a key are a private key")
    }

    /// The ECDSA signature of `digest`, in DER; the same key and digest always give the same one.
    #[must_use]
    pub fn sign_ecdsa(&self, digest: &[u8; 32]) -> Vec<u8> {
        vm::ecdsa::sign(self.secret.as_secret_bytes(), digest).expect("the bytes of a key are a private key")
    }
}

/// Shows the public key only.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", hex::encode(self.public()))
    }
}

/// A phrase of words that stands for a tree of keys.
#[derive(Clone)]
pub struct Mnemonic(bip39::Mnemonic);

impl Mnemonic {
    /// Reads an English phrase of 12 to 24 words.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(words: &str) -> Result<Self, String> {
        bip39::Mnemonic::parse_in(bip39::Language::English, words).map(Self).map_err(|error| error.to_string())
    }

    /// The phrase of 12 words that stands for 16 random bytes.
    #[must_use]
    pub fn from_entropy(entropy: &[u8; 16]) -> Self {
        Self(bip39::Mnemonic::from_entropy(entropy).expect("16 bytes are a length that phrases have"))
    }

    /// The words, for the eyes of their owner.
    #[must_use]
    pub fn words(&self) -> String {
        self.0.words().collect::<Vec<_>>().join(" ")
    }

    /// The branch `m/44'/1'/0'/0`, whose children are the accounts.
    #[must_use]
    pub fn accounts(&self) -> Accounts {
        let master = ExtendedKey::from_seed(&self.0.to_seed(""));
        let hardened = [44, 1, 0].map(|index| index | ExtendedKey::HARDENED);
        Accounts { branch: hardened.into_iter().chain([0]).fold(master, |key, index| key.child(index)) }
    }
}

/// Says nothing of the words.
impl fmt::Debug for Mnemonic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mnemonic({} words)", self.0.word_count())
    }
}

/// A key from which others derive.
#[derive(Clone, Copy, Debug)]
pub struct ExtendedKey {
    key: Key,
    chain_code: [u8; 32],
}

impl ExtendedKey {
    /// Added to an index whose key can't be derived from public keys.
    pub const HARDENED: u32 = 1 << 31;

    /// The root of a seed's tree.
    #[must_use]
    pub fn from_seed(seed: &[u8]) -> Self {
        let (secret, chain_code) = hmac_halves(b"Bitcoin seed", &[seed]);
        let key = Key::from_secret(secret).expect("no seed is known whose hash is no private key: one in 2^127");
        Self { key, chain_code }
    }

    /// The key with number `index`.
    #[must_use]
    pub fn child(&self, index: u32) -> Self {
        let padded = [&[0], self.key.secret.as_secret_bytes().as_slice()].concat();
        let parent = if index & Self::HARDENED == 0 { self.key.public().to_vec() } else { padded };
        let (tweak, chain_code) = hmac_halves(&self.chain_code, &[&parent, &index.to_be_bytes()]);
        let tweak = Scalar::from_be_bytes(tweak).expect("no index is known whose hash leaves the group: one in 2^127");
        let secret = self.key.secret.add_tweak(&tweak).expect("no index is known whose key is zero: one in 2^256");
        Self { key: Key::new(secret), chain_code }
    }

    /// The key itself.
    #[must_use]
    pub const fn key(&self) -> Key {
        self.key
    }
}

fn hmac_halves(key: &[u8], parts: &[&[u8]]) -> ([u8; 32], [u8; 32]) {
    let mut mac = Hmac::<Sha512>::new_from_slice(key).expect("every length is a length of HMAC keys");
    parts.iter().for_each(|part| mac.update(part));
    let (mut left, mut right) = ([0; 32], [0; 32]);
    let digest = mac.finalize().into_bytes();
    left.iter_mut().chain(right.iter_mut()).zip(digest).for_each(|(to, from)| *to = from);
    (left, right)
}

/// The keys of one phrase, by number and by name.
#[derive(Clone, Debug)]
pub struct Accounts {
    branch: ExtendedKey,
}

impl Accounts {
    /// The accounts of the public [`DEVNET_MNEMONIC`].
    #[must_use]
    pub fn devnet() -> Self {
        Mnemonic::parse(DEVNET_MNEMONIC).expect("the phrase's checksum is right").accounts()
    }

    /// The key with number `index`; numbers above 2³¹ wrap.
    #[must_use]
    pub fn key(&self, index: u32) -> Key {
        self.branch.child(index & !ExtendedKey::HARDENED).key()
    }

    /// The key called `@alice`, `alice`, `@7` or `7`.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Key> {
        let name = name.strip_prefix('@').unwrap_or(name);
        let named = DEVNET_NAMES.iter().position(|known| *known == name).and_then(|at| u32::try_from(at).ok());
        let number = || name.parse().ok().filter(|index| index & ExtendedKey::HARDENED == 0);
        named.or_else(number).map(|index| self.key(index))
    }

    /// The named accounts.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, Key)> + '_ {
        DEVNET_NAMES.iter().zip(0..).map(|(name, index)| (*name, self.key(index)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test vector 1 of BIP 32.
    #[test]
    fn derivation_follows_bip_32() {
        let seed = hex::decode("000102030405060708090a0b0c0d0e0f").unwrap();
        let hard = ExtendedKey::HARDENED;
        let cases = [
            (&[][..], "e8f32e723decf4051aefac8e2c93c9c5b214313817cdb01a1494b917c8436b35"),
            (&[hard], "edb2e14f9ee77d26dd93b4ecede8d16ed408ce149b6cd80b0715a2d911a0afea"),
            (&[hard, 1], "3c6cb8d0f6a264c91ea8b5030fadaa8e538b020f0a387421a12de9319dc93368"),
            (
                &[hard, 1, 2 | hard, 2, 1_000_000_000],
                "471b76e389e528d6de6d816857e012c5455051cad6660850e58372a6c3e6e7c8",
            ),
        ];
        for (path, secret) in cases {
            let key = path.iter().fold(ExtendedKey::from_seed(&seed), |key, index| key.child(*index)).key();
            assert_eq!(hex::encode(key.secret.as_secret_bytes()), secret, "{path:?}");
        }
    }

    /// Test vector of BIP 39 for entropy of zeros.
    #[test]
    fn phrases_follow_bip_39() {
        let phrase = Mnemonic::from_entropy(&[0; 16]);
        assert!(phrase.words().ends_with("abandon about"));
        assert!(Mnemonic::parse("test test test").is_err());
        assert!(!format!("{phrase:?}").contains("abandon"));
    }

    #[test]
    fn accounts_are_found_by_name_and_number() {
        let accounts = Accounts::devnet();
        assert_eq!(accounts.find("@bob"), Some(accounts.key(1)));
        assert_eq!(accounts.find("12"), Some(accounts.key(12)));
        assert_eq!(accounts.find("nobody"), None);
        assert_eq!(accounts.find("4294967295"), None);
        assert_eq!(accounts.named().count(), DEVNET_NAMES.len());
    }

    /// The wallet import format's best known example, and the same key for test networks.
    #[test]
    fn private_keys_travel_as_text() {
        let key = Key::from_wif("KwdMAjGmerYanjeui5SHS7JkmpZvVipYvB2LJGU1ZxJwYvP98617").unwrap();
        assert_eq!(Key::from_wif(&key.wif(Network::Test)), Ok(key));
        assert_eq!(key.wif(Network::Main), "KwdMAjGmerYanjeui5SHS7JkmpZvVipYvB2LJGU1ZxJwYvP98617");
        let cases = [
            ("KwdMAjGmerYanjeui5SHS7JkmpZvVipYvB2LJGU1ZxJwYvP98618", WifError::Checksum),
            ("", WifError::Checksum),
            (&base58::encode_checked(&[0x80; 33]), WifError::Kind),
            (&base58::encode_checked(&[&[0x80][..], &[0; 32], &[1]].concat()), WifError::Kind),
        ];
        for (text, error) in cases {
            assert_eq!(Key::from_wif(text), Err(error), "{text}");
        }
    }
}
