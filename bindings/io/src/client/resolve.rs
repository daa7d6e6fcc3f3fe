//! Addresses of hosts. A literal address needs no look-up, which would take a thread and longer than a query.

use std::net::{IpAddr, SocketAddr};

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Looks up names, and takes literal addresses as they are.
#[derive(Debug, Default)]
pub(super) struct LiteralsFirst(DefaultResolver);

impl Resolver for LiteralsFirst {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        match literal(uri) {
            Some(address) => {
                let mut addresses = self.empty();
                addresses.push(address);
                Ok(addresses)
            }
            None => self.0.resolve(uri, config, timeout),
        }
    }
}

fn literal(uri: &Uri) -> Option<SocketAddr> {
    let host = uri.host()?;
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let address: IpAddr = bare.parse().ok()?;
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
    Some(SocketAddr::new(address, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_addresses_are_taken_as_they_are() {
        let of = |uri: &str| literal(&uri.parse().unwrap()).map(|address| address.to_string());
        assert_eq!(of("http://127.0.0.1:9090/api").as_deref(), Some("127.0.0.1:9090"));
        assert_eq!(of("https://[::1]/api").as_deref(), Some("[::1]:443"));
        assert_eq!(of("http://10.0.0.1").as_deref(), Some("10.0.0.1:80"));
        assert_eq!(of("http://localhost:9090"), None);
    }
}
