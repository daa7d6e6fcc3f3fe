//! A proxy that was asked for. It is told the address that was looked up and admitted, so that it cannot be led to
//! another one.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use davy::probe::TransportFault;

use super::ProberError;
use super::fault::{Fault, in_words};
use super::lookup::host_and_port;
use crate::client::base64;

/// The longest answer to `CONNECT` that is read, in bytes.
const LONGEST: usize = 16 << 10;

/// An HTTP proxy that makes tunnels (`CONNECT`).
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    host: String,
    port: u16,
    /// The value of `Proxy-Authorization`.
    authorization: Option<String>,
}

impl Proxy {
    /// A proxy at `http://[user:password@]host:port`. Nothing is asked of it before a flow runs.
    ///
    /// # Errors
    /// [`ProberError::Proxy`] for anything else.
    pub fn new(url: &str) -> Result<Self, ProberError> {
        let rest = url.strip_prefix("http://").ok_or(ProberError::Proxy)?.trim_end_matches('/');
        let (user, place) = rest.rsplit_once('@').map_or((None, rest), |(user, place)| (Some(user), place));
        let (host, port) = host_and_port(place).ok_or(ProberError::Proxy)?;
        if host.contains(|c: char| c.is_whitespace() || c.is_control() || "/?#\\".contains(c)) {
            return Err(ProberError::Proxy);
        }
        let authorization = user.map(|user| format!("Basic {}", base64(user.as_bytes())));
        Ok(Self { host: host.to_owned(), port, authorization })
    }
}

/// A connection to an address by way of the proxy.
pub(super) fn tunnel(proxy: &Proxy, to: SocketAddr, within: Duration) -> Result<TcpStream, Fault> {
    let fault = |what: String| Fault::new(TransportFault::Prober, format!("the proxy `{}`: {what}", proxy.host));
    let deadline = Instant::now() + within;
    // Whom the operator named is not for the flow's policy to judge.
    let places = (proxy.host.as_str(), proxy.port).to_socket_addrs().map_err(|cause| fault(in_words(&cause)))?;
    let place = places.into_iter().next().ok_or_else(|| fault("it has no address".to_owned()))?;
    let mut stream = TcpStream::connect_timeout(&place, within).map_err(|cause| fault(in_words(&cause)))?;
    let authorization =
        proxy.authorization.as_ref().map(|value| format!("Proxy-Authorization: {value}\r\n")).unwrap_or_default();
    let request = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n{authorization}\r\n");
    let answer = ask(&mut stream, &request, deadline).map_err(|cause| fault(in_words(&cause)))?;
    let status = answer.split(' ').nth(1).unwrap_or_default();
    match status {
        "200" => Ok(stream),
        // What the proxy says of the service's address is the service's.
        "502" | "503" | "504" => {
            Err(Fault::new(TransportFault::Connect, format!("{to}: the proxy answers with {status}")))
        }
        other => Err(fault(format!("it answers with `{}`", other.chars().take(20).collect::<String>()))),
    }
}

/// The head of the answer. It is read byte by byte: what follows belongs to the tunnel.
fn ask(stream: &mut TcpStream, request: &str, deadline: Instant) -> io::Result<String> {
    let left = || {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::Error::from(ErrorKind::TimedOut)) } else { Ok(Some(left)) }
    };
    stream.set_write_timeout(left()?)?;
    stream.write_all(request.as_bytes())?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= LONGEST {
            return Err(io::Error::new(ErrorKind::InvalidData, "its answer has no end"));
        }
        stream.set_read_timeout(left()?)?;
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.extend_from_slice(&byte);
    }
    stream.set_read_timeout(None)?;
    stream.set_write_timeout(None)?;
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// Without the password.
impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Proxy({}:{})", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_plain_url_and_its_password_is_never_shown() {
        let proxy = Proxy::new("http://me:hunter2@proxy.example:3128/").unwrap();
        assert_eq!(format!("{proxy:?}"), "Proxy(proxy.example:3128)");
        assert_eq!(proxy.authorization.as_deref(), Some("Basic bWU6aHVudGVyMg=="));
        for none in ["", "proxy:3128", "https://proxy:3128", "http://proxy", "http://pro xy:1", "http://proxy:1/x:2"] {
            assert!(Proxy::new(none).is_err(), "{none}");
        }
    }
}
