//! Which addresses a probe may speak to.
//!
//! A flow is data that others write, and redirects are written by the service: neither may reach what only
//! the prober can reach. Sources: the IANA special-purpose address registries (RFC 6890 and its updates),
//! RFC 6052 and RFC 8215 (NAT64), RFC 3056 (6to4), RFC 4380 (Teredo).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::document::probe::AddressPolicy;

/// Why an address is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressKind {
    /// Of the public internet.
    Public,
    /// Of a private or shared network.
    Private,
    /// This machine, or no machine.
    Loopback,
    /// The network at this machine's own wire.
    LinkLocal,
    /// A cloud's service for the machine itself.
    Metadata,
    /// For documentation, tests, groups or the future.
    Special,
}

impl AddressKind {
    /// For messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "a public address",
            Self::Private => "a private address",
            Self::Loopback => "this machine",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "a cloud's metadata service",
            Self::Special => "a special-purpose address",
        }
    }

    /// What kind of address this is. Addresses that stand for an IPv4 address are of that address's kind.
    ///
    /// ```
    /// use davy::probe::AddressKind;
    ///
    /// assert_eq!(AddressKind::of("93.184.215.14".parse()?), AddressKind::Public);
    /// assert_eq!(AddressKind::of("::ffff:169.254.169.254".parse()?), AddressKind::Metadata);
    /// assert_eq!(AddressKind::of("64:ff9b::7f00:1".parse()?), AddressKind::Loopback);
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => embedded(address).map_or_else(|| of_v6(address), of_v4),
        }
    }

    /// Whether the policy lets a probe speak to such an address.
    #[must_use]
    pub const fn is_admitted(self, policy: AddressPolicy) -> bool {
        match policy {
            AddressPolicy::Any => true,
            AddressPolicy::PrivateToo => matches!(self, Self::Public | Self::Private),
            AddressPolicy::PublicOnly => matches!(self, Self::Public),
        }
    }
}

const METADATA_V4: [Ipv4Addr; 4] = [
    Ipv4Addr::new(169, 254, 169, 254), // AWS, Azure, Google and most others
    Ipv4Addr::new(169, 254, 170, 2),   // AWS, tasks of containers
    Ipv4Addr::new(100, 100, 100, 200), // Alibaba
    Ipv4Addr::new(168, 63, 129, 16),   // Azure, in the middle of public addresses
];

fn of_v4(address: Ipv4Addr) -> AddressKind {
    if METADATA_V4.contains(&address) {
        return AddressKind::Metadata;
    }
    match address.octets() {
        [0 | 127, ..] => AddressKind::Loopback,
        [10, ..] | [192, 168, ..] => AddressKind::Private,
        [172, second, ..] if second & 0xf0 == 16 => AddressKind::Private,
        [100, second, ..] if second & 0xc0 == 64 => AddressKind::Private,
        [169, 254, ..] => AddressKind::LinkLocal,
        [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => {
            AddressKind::Special
        }
        [224..=255, ..] => AddressKind::Special,
        _ => AddressKind::Public,
    }
}

fn of_v6(address: Ipv6Addr) -> AddressKind {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => AddressKind::Loopback,
        // AWS.
        [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254] => AddressKind::Metadata,
        [first, ..] if first & 0xfe00 == 0xfc00 => AddressKind::Private,
        [first, ..] if first & 0xffc0 == 0xfe80 => AddressKind::LinkLocal,
        // Local NAT64 leads to addresses that only the network knows.
        [0x64, 0xff9b, 1, ..] => AddressKind::Private,
        // Protocols (Teredo, benchmarks, ORCHID), documentation.
        [0x2001, second, ..] if second < 0x200 || second == 0x0db8 => AddressKind::Special,
        [0x3fff, second, ..] if second < 0x1000 => AddressKind::Special,
        [first, ..] if first & 0xe000 == 0x2000 => AddressKind::Public,
        _ => AddressKind::Special,
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped, compatible, translated, NAT64 or 6to4.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}
