//! Dialling and speaking, each part timed: ureq's own connector tells neither how long a handshake took nor whose
//! certificate it saw.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use davy::probe::{Peer, TransportFault};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

use super::fault::{Fault, in_words};
use super::lookup::literal;
use super::proxy::Proxy;
use super::socket::Socket;
use super::trace::Trace;
use super::{encryption, proxy};

/// Gives ureq the addresses that were found and admitted before, and no others.
#[derive(Debug)]
pub(super) struct Pinned(pub(super) Arc<Trace>);

impl Resolver for Pinned {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let mut addresses = self.empty();
        for address in &self.0.now().addresses {
            addresses.push(*address);
        }
        Ok(addresses)
    }
}

/// Dials an address that was admitted, perhaps through a proxy, and encrypts where the URL says so.
#[derive(Debug)]
pub(super) struct Dial {
    pub(super) trace: Arc<Trace>,
    pub(super) tls: Arc<ClientConfig>,
    pub(super) proxy: Option<Proxy>,
}

impl Connector for Dial {
    type Out = Wire;

    fn connect(&self, details: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Wire>, Error> {
        let begun = Instant::now();
        self.trace.now().dialling = Some(begun);
        let most = details.timeout.not_zero().map_or(Duration::from_secs(60), |left| *left);
        let (stream, address) = self.dial(&details.addrs, most)?;
        let connected = Instant::now();
        self.trace.now().connect = Some(connected.saturating_duration_since(begun));
        stream.set_nodelay(true)?;
        let buffers = || LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        let plain = Socket::new(stream, buffers());
        if !details.needs_tls() {
            let peer = Arc::new(Peer { address: address.ip(), tls: None });
            return Ok(Some(Wire { trace: Arc::clone(&self.trace), peer, line: Line::Plain(plain) }));
        }
        self.trace.now().handshaking = Some(connected);
        let host = details.uri.host().unwrap_or_default();
        let name = literal(host).map_or_else(|| ServerName::try_from(host.to_owned()), |ip| Ok(ServerName::from(ip)));
        let name =
            name.map_err(|_| self.fault(TransportFault::Tls, "the host has no name that a certificate can be for"))?;
        let mut session = ClientConnection::new(Arc::clone(&self.tls), name)
            .map_err(|error| self.fault(TransportFault::Tls, error.to_string()))?;
        let mut socket = TransportAdapter::new(plain, Arc::clone(&details.current_time));
        let left = most.saturating_sub(begun.elapsed()).max(Duration::from_millis(1));
        socket.set_timeout(NextTimeout {
            after: left.into(),
            reason: ureq::Timeout::Connect,
            ..NextTimeout::default()
        });
        session.complete_io(&mut socket).map_err(|cause| match Error::from(cause) {
            Error::Timeout(_) => self.fault(TransportFault::Timeout, "no encrypted connection in time"),
            Error::Io(cause) => self.fault(TransportFault::Tls, in_words(&cause)),
            other => self.fault(TransportFault::Tls, other.to_string()),
        })?;
        self.trace.now().tls = Some(connected.elapsed());
        let peer = Arc::new(Peer { address: address.ip(), tls: Some(encryption::facts(&session)) });
        let stream = Box::new(StreamOwned { conn: session, sock: socket });
        let line = Line::Encrypted { stream, buffers: buffers() };
        Ok(Some(Wire { trace: Arc::clone(&self.trace), peer, line }))
    }
}

impl Dial {
    /// The first address that answers; each has an equal part of the time that is left.
    fn dial(&self, addresses: &[SocketAddr], most: Duration) -> Result<(TcpStream, SocketAddr), Error> {
        let begun = Instant::now();
        let mut last = Fault::new(TransportFault::Connect, "there is no address");
        for (index, address) in addresses.iter().enumerate() {
            let left = most.saturating_sub(begun.elapsed());
            let share = left / u32::try_from(addresses.len() - index).unwrap_or(1);
            if share.is_zero() {
                break;
            }
            let stream = match &self.proxy {
                Some(proxy) => proxy::tunnel(proxy, *address, share),
                None => TcpStream::connect_timeout(address, share).map_err(|cause| match cause.kind() {
                    std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock => {
                        Fault::new(TransportFault::Timeout, format!("{address}: no connection in time"))
                    }
                    _ => Fault::new(TransportFault::Connect, format!("{address}: {}", in_words(&cause))),
                }),
            };
            match stream {
                Ok(stream) => return Ok((stream, *address)),
                Err(fault) => last = fault,
            }
        }
        Err(self.fault(last.kind, last.detail))
    }

    /// Leaves word of what happened, for ureq has no words for it.
    fn fault(&self, kind: TransportFault, detail: impl Into<String>) -> Error {
        self.trace.now().fault = Some(Fault::new(kind, detail));
        Error::ConnectionFailed
    }
}

/// One connection.
pub(super) struct Wire {
    trace: Arc<Trace>,
    peer: Arc<Peer>,
    line: Line,
}

enum Line {
    Plain(Socket),
    Encrypted { stream: Box<StreamOwned<ClientConnection, TransportAdapter<Socket>>>, buffers: LazyBuffers },
}

impl Transport for Wire {
    fn buffers(&mut self) -> &mut dyn Buffers {
        match &mut self.line {
            Line::Plain(plain) => plain.buffers(),
            Line::Encrypted { buffers, .. } => buffers,
        }
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        {
            let mut exchange = self.trace.now();
            exchange.sending.get_or_insert_with(Instant::now);
            if exchange.peer.is_none() {
                exchange.peer = Some(Arc::clone(&self.peer));
            }
        }
        match &mut self.line {
            Line::Plain(plain) => plain.transmit_output(amount, timeout)?,
            Line::Encrypted { stream, buffers } => {
                stream.sock.set_timeout(timeout);
                stream.write_all(buffers.output().get(..amount).unwrap_or_default())?;
            }
        }
        self.trace.now().sent = Some(Instant::now());
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let came = match &mut self.line {
            Line::Plain(plain) => plain.await_input(timeout)?,
            Line::Encrypted { stream, buffers } => {
                stream.sock.set_timeout(timeout);
                let read = stream.read(buffers.input_append_buf())?;
                buffers.input_appended(read);
                read > 0
            }
        };
        if came {
            self.trace.now().first_byte.get_or_insert_with(Instant::now);
        }
        Ok(came)
    }

    fn is_open(&mut self) -> bool {
        match &mut self.line {
            Line::Plain(plain) => plain.is_open(),
            Line::Encrypted { stream, .. } => stream.sock.get_mut().is_open(),
        }
    }

    fn is_tls(&self) -> bool {
        matches!(self.line, Line::Encrypted { .. })
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wire({})", self.peer.address)
    }
}
