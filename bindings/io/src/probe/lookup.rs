//! Looking up hosts, and refusing addresses that a flow may not speak to: before anything is dialled.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use davy::document::probe::AddressPolicy;
use davy::probe::{AddressKind, TransportFault};
use dns_lookup::{AddrInfoHints, LookupErrorKind, SockType};

use super::fault::Fault;

/// The most look-ups that may hang at once: a resolver that is dead must not cost a thread per probe.
const HANGING: usize = 64;

/// The most addresses of one host that are tried.
const ADDRESSES: usize = 16;

/// How the addresses of a host are found. A host with its own ideas of naming, or a test, brings another.
pub trait Lookup: fmt::Debug + Send + Sync + 'static {
    /// All addresses of a name, the preferred one first.
    ///
    /// # Errors
    /// [`LookupFault`].
    fn look_up(&self, host: &str, within: Duration) -> Result<Vec<IpAddr>, LookupFault>;
}

/// Why there are no addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookupFault {
    /// The name does not exist, or has no address: the service's fault.
    NoSuchHost,
    /// The resolver did not say: the prober's fault.
    Resolver(String),
}

/// The operating system's resolver.
#[derive(Debug, Default)]
pub struct SystemLookup {
    hanging: Arc<AtomicUsize>,
}

impl Lookup for SystemLookup {
    fn look_up(&self, host: &str, within: Duration) -> Result<Vec<IpAddr>, LookupFault> {
        if self.hanging.load(Ordering::Relaxed) >= HANGING {
            return Err(LookupFault::Resolver(format!("{HANGING} look-ups are still without an answer")));
        }
        // The operating system's call has no end of its own, so it is left behind in a thread.
        self.hanging.fetch_add(1, Ordering::Relaxed);
        let (tell, told) = mpsc::sync_channel(1);
        let (name, hanging) = (host.to_owned(), Arc::clone(&self.hanging));
        let spawned = thread::Builder::new().name("davy-lookup".to_owned()).spawn(move || {
            let found = system(&name);
            hanging.fetch_sub(1, Ordering::Relaxed);
            // Nobody waits any more.
            let _ = tell.send(found);
        });
        if let Err(cause) = spawned {
            self.hanging.fetch_sub(1, Ordering::Relaxed);
            return Err(LookupFault::Resolver(format!("no thread to look up with: {}", cause.kind())));
        }
        match told.recv_timeout(within) {
            Ok(found) => found,
            Err(RecvTimeoutError::Timeout) => Err(LookupFault::Resolver(format!("no answer in {within:?}"))),
            Err(RecvTimeoutError::Disconnected) => Err(LookupFault::Resolver("the look-up ended early".to_owned())),
        }
    }
}

fn system(host: &str) -> Result<Vec<IpAddr>, LookupFault> {
    let hints = AddrInfoHints { socktype: SockType::Stream.into(), ..AddrInfoHints::default() };
    match dns_lookup::getaddrinfo(Some(host), None, Some(hints)) {
        Ok(found) => {
            let addresses: Vec<IpAddr> = found.flatten().map(|found| found.sockaddr.ip()).collect();
            if addresses.is_empty() { Err(LookupFault::NoSuchHost) } else { Ok(addresses) }
        }
        Err(error) => Err(match error.kind() {
            LookupErrorKind::NoName | LookupErrorKind::NoData => LookupFault::NoSuchHost,
            other => LookupFault::Resolver(format!("{other:?}").to_lowercase()),
        }),
    }
}

/// Where to dial: what the host's name stands for, every address of it admitted. One that is not refuses them all,
/// for a name that points both ways is how a guard is led around.
pub(super) fn admitted(
    lookup: &dyn Lookup,
    host: &str,
    port: u16,
    policy: AddressPolicy,
    within: Duration,
) -> Result<Vec<SocketAddr>, Fault> {
    let found = match literal(host) {
        Some(address) => Ok(vec![address]),
        None => lookup.look_up(host, within),
    };
    let found = found.map_err(|fault| match fault {
        LookupFault::NoSuchHost => Fault::new(TransportFault::NoSuchHost, format!("`{host}`")),
        LookupFault::Resolver(why) => Fault::new(TransportFault::Resolver, format!("`{host}`: {why}")),
    })?;
    for address in &found {
        let kind = AddressKind::of(*address);
        if !kind.is_admitted(policy) {
            let named = if literal(host).is_some() { format!("`{host}`") } else { format!("`{host}`, `{address}`,") };
            let why = format!("{named} is {}, and the target's `addressPolicy` is `{policy}`", kind.as_str());
            return Err(Fault::new(TransportFault::Blocked, why));
        }
    }
    if found.is_empty() {
        return Err(Fault::new(TransportFault::NoSuchHost, format!("`{host}` has no address")));
    }
    Ok(found.into_iter().take(ADDRESSES).map(|address| SocketAddr::new(address, port)).collect())
}

/// An address in its usual form, in brackets or without.
pub(super) fn literal(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    bare.parse().ok()
}

/// A host and a port as one text.
pub(super) fn host_and_port(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    (!host.is_empty()).then_some((host, port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Told(Vec<IpAddr>);

    impl Lookup for Told {
        fn look_up(&self, _: &str, _: Duration) -> Result<Vec<IpAddr>, LookupFault> {
            Ok(self.0.clone())
        }
    }

    fn told(addresses: &[&str], policy: AddressPolicy) -> Result<Vec<SocketAddr>, TransportFault> {
        let told = Told(addresses.iter().map(|address| address.parse().unwrap()).collect());
        admitted(&told, "shop.example", 443, policy, Duration::from_secs(1)).map_err(|fault| fault.kind)
    }

    #[test]
    fn one_private_address_among_public_ones_refuses_them_all() {
        let public = ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"];
        assert_eq!(told(&public, AddressPolicy::PublicOnly).unwrap().len(), 2);
        for private in ["10.0.0.1", "127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254", "fd00:ec2::254"] {
            let mixed = [public[0], private];
            assert_eq!(told(&mixed, AddressPolicy::PublicOnly), Err(TransportFault::Blocked), "{private}");
        }
        assert!(told(&["10.0.0.1"], AddressPolicy::PrivateToo).is_ok());
        assert_eq!(told(&["127.0.0.1"], AddressPolicy::PrivateToo), Err(TransportFault::Blocked));
        assert_eq!(told(&[], AddressPolicy::Any), Err(TransportFault::NoSuchHost));
    }

    #[test]
    fn a_name_that_cannot_exist_is_the_services_fault() {
        // RFC 6761, section 6.4: `invalid` never resolves. Without any resolver it is the prober's fault instead.
        let found = SystemLookup::default().look_up("name.invalid", Duration::from_secs(20));
        assert!(found.is_err(), "{found:?}");
        let found = SystemLookup::default().look_up("localhost", Duration::from_secs(20)).unwrap();
        assert!(found.iter().all(IpAddr::is_loopback), "{found:?}");
    }

    #[test]
    fn hosts_and_ports_are_told_apart() {
        assert_eq!(host_and_port("shop.example:80"), Some(("shop.example", 80)));
        assert_eq!(host_and_port("[::1]:8443"), Some(("::1", 8443)));
        for none in ["shop.example", ":80", "shop.example:", "shop.example:99999"] {
            assert_eq!(host_and_port(none), None, "{none}");
        }
    }
}
