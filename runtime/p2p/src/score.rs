//! What peers do wrong, and who is not let in.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// What a peer did wrong. Points add up; a hundred end the connection, and keep the address out for a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offence {
    /// Bytes that are no frame.
    Frame,
    /// A message that is not what its name says.
    Message,
    /// Something else than the handshake before it, or a second one.
    Handshake,
    /// A header that breaks a rule, or headers that do not follow each other.
    InvalidHeader,
    /// Headers that follow from nothing known, again and again.
    Unconnected,
    /// A block that breaks a rule.
    InvalidBlock,
    /// A transaction that no block could hold.
    InvalidTransaction,
    /// More of something than anybody needs.
    Flood,
}

impl Offence {
    /// How bad it is.
    #[must_use]
    pub const fn points(self) -> u32 {
        match self {
            Self::InvalidHeader | Self::InvalidBlock => 100,
            Self::Frame | Self::Flood => 50,
            Self::Message | Self::Unconnected | Self::InvalidTransaction => 20,
            Self::Handshake => 10,
        }
    }
}

/// So many points end a connection.
pub(crate) const POINTS_MAX: u32 = 100;
/// How long an address is kept out.
pub(crate) const BAN_SECS: u64 = 24 * 60 * 60;

/// Addresses that begin alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subnet {
    ip: IpAddr,
    bits: u8,
}

/// A text is no address and no subnet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no address or subnet")]
pub struct SubnetError;

impl Subnet {
    /// One address alone.
    #[must_use]
    pub const fn of(ip: IpAddr) -> Self {
        let bits = if ip.is_ipv4() { 32 } else { 128 };
        Self { ip, bits }
    }

    fn new(ip: IpAddr, bits: u8) -> Option<Self> {
        let ip = match ip {
            IpAddr::V4(ip) if bits <= 32 => {
                let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(ip.to_bits() & mask))
            }
            IpAddr::V6(ip) if bits <= 128 => {
                let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & mask))
            }
            _ => return None,
        };
        Some(Self { ip, bits })
    }

    /// Whether an address is one of these.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        ip.is_ipv4() == self.ip.is_ipv4() && Self::new(ip, self.bits) == Some(*self)
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.bits)
    }
}

impl FromStr for Subnet {
    type Err = SubnetError;

    fn from_str(text: &str) -> Result<Self, SubnetError> {
        let Some((ip, mask)) = text.split_once('/') else {
            return text.parse::<IpAddr>().map(|ip| Self::of(ip.to_canonical())).map_err(|_| SubnetError);
        };
        let ip: IpAddr = ip.parse().map_err(|_| SubnetError)?;
        let bits = match mask.parse::<Ipv4Addr>() {
            Ok(mask) if mask.to_bits().leading_ones() + mask.to_bits().trailing_zeros() == 32 => {
                u8::try_from(mask.to_bits().leading_ones()).map_err(|_| SubnetError)?
            }
            Ok(_) => return Err(SubnetError),
            Err(_) => mask.parse().map_err(|_| SubnetError)?,
        };
        Self::new(ip, bits).ok_or(SubnetError)
    }
}

/// Since when and until when somebody is kept out, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ban {
    /// When it began.
    pub created: u64,
    /// When it ends.
    pub until: u64,
}

/// Who is not let in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bans {
    all: BTreeMap<Subnet, Ban>,
}

/// The most bans; those that end soonest make room.
const BANS_MAX: usize = 10_000;

impl Bans {
    /// Those that have not ended.
    pub fn iter(&self, now: u64) -> impl Iterator<Item = (&Subnet, &Ban)> {
        self.all.iter().filter(move |(_, ban)| ban.until > now)
    }

    /// Keeps somebody out.
    pub fn insert(&mut self, subnet: Subnet, ban: Ban) {
        self.all.retain(|_, old| old.until > ban.created);
        if self.all.len() >= BANS_MAX
            && let Some(soonest) = self.all.iter().min_by_key(|(_, old)| old.until).map(|(subnet, _)| *subnet)
        {
            self.all.remove(&soonest);
        }
        self.all.insert(subnet, ban);
    }

    /// Whether there was such a ban.
    pub fn remove(&mut self, subnet: &Subnet) -> bool {
        self.all.remove(subnet).is_some()
    }

    /// Lets everybody in.
    pub fn clear(&mut self) {
        self.all.clear();
    }

    /// Whether this very ban is there.
    #[must_use]
    pub fn has(&self, subnet: &Subnet, now: u64) -> bool {
        self.all.get(subnet).is_some_and(|ban| ban.until > now)
    }

    /// Whether an address is kept out.
    #[must_use]
    pub fn covers(&self, ip: IpAddr, now: u64) -> bool {
        self.iter(now).any(|(subnet, _)| subnet.contains(ip))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subnets_are_read_shown_and_hold_their_addresses() {
        for (text, shown, inside, outside) in [
            ("10.0.0.1", "10.0.0.1/32", "10.0.0.1", "10.0.0.2"),
            ("10.1.2.3/8", "10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("10.1.2.3/255.255.0.0", "10.1.0.0/16", "::ffff:10.1.9.9", "10.2.0.1"),
            ("0.0.0.0/0", "0.0.0.0/0", "1.2.3.4", "::1"),
            ("2001:db8::1/32", "2001:db8::/32", "2001:db8:5::", "2001:db9::"),
        ] {
            let subnet: Subnet = text.parse().unwrap();
            assert_eq!(subnet.to_string(), shown);
            assert!(subnet.contains(inside.parse().unwrap()) && !subnet.contains(outside.parse().unwrap()), "{text}");
        }
        for text in ["", "x", "1.2.3", "1.2.3.4/33", "1.2.3.4/255.0.255.0", "::1/129", "1.2.3.4/-1", "1.2.3.4/"] {
            assert_eq!(text.parse::<Subnet>(), Err(SubnetError), "{text}");
        }
    }

    #[test]
    fn bans_end() {
        let mut bans = Bans::default();
        let subnet: Subnet = "10.0.0.0/8".parse().unwrap();
        bans.insert(subnet, Ban { created: 5, until: 10 });
        let ip = "10.9.9.9".parse().unwrap();
        assert!(bans.covers(ip, 9) && !bans.covers(ip, 10));
        assert!(bans.remove(&subnet) && !bans.remove(&subnet) && !bans.covers(ip, 9));
    }
}
