//! Networks, to which shares are given.

use std::net::IpAddr;

/// The network that an address belongs to: of IPv6 the /64, because a subscriber has that many addresses or more
/// (RFC 6177 §2).
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}
