//! The connections of one run, and one exchange on them: a request of the machine sent, its answer read.

use std::io::{self, ErrorKind, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use davy::document::probe::{AddressPolicy, HttpMethod, HttpVersion, TlsVerify, TlsVersion};
use davy::probe::{Bytes, Event, HttpRequest, HttpResponse, TransportFault};
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use ureq::http::{HeaderValue, Method, Request, Response, Version, header};
use ureq::{Agent, Body};

use super::fault::Fault;
use super::lookup::{self, host_and_port};
use super::settings::Settings;
use super::trace::{Exchange, Trace};
use super::wire::{Dial, Pinned};

/// The longest head of an answer, in bytes.
const LONGEST_HEAD: usize = 64 << 10;

/// The connections of one run. Every origin keeps the addresses that were found for it first: a name that points
/// elsewhere a moment later leads nowhere.
#[derive(Debug)]
pub(super) struct Lines {
    settings: Arc<Settings>,
    lines: Vec<Line>,
}

/// Connections to one origin under one policy.
#[derive(Debug)]
struct Line {
    key: Key,
    trace: Arc<Trace>,
    agent: Agent,
    addresses: Vec<std::net::SocketAddr>,
}

/// What must be the same for a connection, or an address, to be used again.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    encrypted: bool,
    host: String,
    port: u16,
    connect_to: Option<String>,
    policy: AddressPolicy,
    oldest: TlsVersion,
    verify: TlsVerify,
}

impl Key {
    fn of(request: &HttpRequest) -> Self {
        Self {
            encrypted: request.url.is_encrypted(),
            host: request.url.host().to_string(),
            port: request.url.port(),
            connect_to: request.connect_to.clone(),
            policy: request.address_policy,
            oldest: request.tls_min_version,
            verify: request.tls_verify,
        }
    }
}

impl Lines {
    pub(super) const fn new(settings: Arc<Settings>) -> Self {
        Self { settings, lines: Vec::new() }
    }

    /// Forgets which addresses names had; connections stay.
    pub(super) fn forget_addresses(&mut self) {
        self.lines.iter_mut().for_each(|line| line.addresses.clear());
    }

    /// Sends a request and reads its answer. `left` is what is left of its time.
    pub(super) fn exchange(&mut self, request: &HttpRequest, left: Duration) -> Event {
        let begun = Instant::now();
        let first = self.once(request, left);
        match first {
            // A connection that idled may have been closed at the very moment at which it was used again. Asking
            // once more on a new one is what every browser does, and RFC 9110, section 9.2.2, allows.
            Err((fault, exchange))
                if fault.kind == TransportFault::Closed
                    && !exchange.dialled()
                    && exchange.first_byte.is_none()
                    && is_idempotent(request.method) =>
            {
                self.lines.retain(|line| line.key != Key::of(request));
                self.once(request, left.saturating_sub(begun.elapsed()))
            }
            other => other,
        }
        .unwrap_or_else(|(fault, exchange)| Event::HttpFailed(fault.with(exchange.timings(Instant::now()))))
    }

    #[expect(clippy::result_large_err, reason = "a failure is made once per request, and taken apart at once")]
    fn once(&mut self, request: &HttpRequest, left: Duration) -> Result<Event, (Fault, Exchange)> {
        let begun = Instant::now();
        let place = self.line(request).map_err(|fault| (fault, Exchange::default()))?;
        let settings = Arc::clone(&self.settings);
        let Some(line) = self.lines.get_mut(place) else {
            return Err((Fault::new(TransportFault::Prober, "no connection could be set up"), Exchange::default()));
        };
        *line.trace.now() = Exchange::default();
        if line.addresses.is_empty() {
            let within = left.min(millis(request.connect_timeout));
            let (host, port) = match request.connect_to.as_deref().map(host_and_port) {
                None => (line.key.host.as_str(), line.key.port),
                Some(Some(place)) => place,
                Some(None) => {
                    return Err(line.fails(Fault::new(TransportFault::Prober, "`connectTo` is no `host:port`")));
                }
            };
            let needs_lookup = lookup::literal(host).is_none();
            let found = lookup::admitted(&*settings.lookup, host, port, request.address_policy, within);
            if needs_lookup {
                line.trace.now().dns = Some(begun.elapsed());
            }
            line.addresses = match found {
                Ok(addresses) => addresses,
                Err(fault) => return Err(line.fails(fault)),
            };
        }
        line.trace.now().addresses.clone_from(&line.addresses);
        let left = left.saturating_sub(begun.elapsed());
        match line.ask(request, left) {
            Ok(response) => Ok(Event::Http(Box::new(response))),
            Err(fault) => {
                let told = line.trace.now().fault.take();
                Err(line.fails(told.unwrap_or(fault)))
            }
        }
    }

    /// The place of the line that a request goes over.
    fn line(&mut self, request: &HttpRequest) -> Result<usize, Fault> {
        let key = Key::of(request);
        if let Some(place) = self.lines.iter().position(|line| line.key == key) {
            return Ok(place);
        }
        let tls = self.settings.encryption.way(key.oldest, key.verify);
        let tls = tls.map_err(|error| Fault::new(TransportFault::Prober, error.to_string()))?;
        let trace = Arc::new(Trace::default());
        let config = Agent::config_builder()
            // Nothing is done that the request does not say: the machine follows redirects and keeps cookies.
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent("")
            .accept("")
            .accept_encoding("")
            .max_response_header_size(LONGEST_HEAD)
            .max_idle_connections_per_host(1)
            .build();
        let dial = Dial { trace: Arc::clone(&trace), tls, proxy: self.settings.proxy.clone() };
        let agent = Agent::with_parts(config, dial, Pinned(Arc::clone(&trace)));
        self.lines.push(Line { key, trace, agent, addresses: Vec::new() });
        Ok(self.lines.len() - 1)
    }
}

impl Line {
    fn fails(&self, fault: Fault) -> (Fault, Exchange) {
        (fault, std::mem::take(&mut *self.trace.now()))
    }

    fn ask(&self, request: &HttpRequest, left: Duration) -> Result<HttpResponse, Fault> {
        if left.is_zero() {
            return Err(Fault::new(TransportFault::Timeout, "no answer in time"));
        }
        let mut response = self.send(request, left)?;
        let (body, truncated) = read(&mut response, request)?;
        let ended = Instant::now();
        let exchange = self.trace.now();
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        Ok(HttpResponse {
            status: response.status().as_u16(),
            version: match response.version() {
                Version::HTTP_09 | Version::HTTP_10 => HttpVersion::V1_0,
                Version::HTTP_2 => HttpVersion::V2,
                Version::HTTP_3 => HttpVersion::V3,
                _ => HttpVersion::V1_1,
            },
            headers: response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
            body: Bytes(body),
            truncated,
            original_bytes: None,
            timings: exchange.timings(ended),
            peer: exchange.peer.as_deref().cloned(),
        })
    }

    fn send(&self, request: &HttpRequest, left: Duration) -> Result<Response<Body>, Fault> {
        let unsendable = |what: &str| Fault::new(TransportFault::Prober, format!("the request cannot be sent: {what}"));
        let mut built = Request::builder().method(method(request.method)).uri(request.url.to_string());
        for one in &request.headers {
            let mut value =
                HeaderValue::from_bytes(one.value.as_bytes()).map_err(|_| unsendable("a header's value"))?;
            value.set_sensitive(one.secret);
            built = built.header(one.name.as_str(), value);
        }
        let has_body = !request.body.is_empty()
            || matches!(request.method, HttpMethod::Post | HttpMethod::Put | HttpMethod::Patch);
        let timeouts = |connect| (Some(left), Some(millis(connect).min(left)));
        let (global, connect) = timeouts(request.connect_timeout);
        let sent = if has_body {
            let built = built.body(request.body.0.as_slice()).map_err(|_| unsendable("its URL or a header's name"))?;
            let configured = self.agent.configure_request(built).timeout_global(global).timeout_connect(connect);
            self.agent.run(configured.build())
        } else {
            let built = built.body(()).map_err(|_| unsendable("its URL or a header's name"))?;
            let configured = self.agent.configure_request(built).timeout_global(global).timeout_connect(connect);
            self.agent.run(configured.build())
        };
        sent.map_err(Fault::of)
    }
}

/// The body, decoded, and whether it was longer than may be read.
fn read(response: &mut Response<Body>, request: &HttpRequest) -> Result<(Vec<u8>, bool), Fault> {
    let encoding = response.headers().get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    let encoding = encoding.unwrap_or_default().trim().to_ascii_lowercase();
    let raw = response.body_mut().as_reader();
    // Of a body that is compressed, neither what comes nor what comes of it is longer than one byte too many.
    let most = request.max_body.saturating_add(1);
    let mut body = Vec::new();
    let read = match encoding.as_str() {
        "gzip" | "x-gzip" => MultiGzDecoder::new(raw).take(most).read_to_end(&mut body).map_err(undecoded),
        "deflate" => ZlibDecoder::new(raw).take(most).read_to_end(&mut body).map_err(undecoded),
        _ => raw.take(most).read_to_end(&mut body).map_err(|cause| Fault::of(cause.into())),
    };
    read?;
    let truncated = body.len() as u64 > request.max_body;
    if truncated {
        body.truncate(usize::try_from(request.max_body).unwrap_or(usize::MAX));
    }
    Ok((body, truncated))
}

/// A body that is not what `Content-Encoding` says, or a connection that broke while it came.
fn undecoded(cause: io::Error) -> Fault {
    let is_content = matches!(cause.kind(), ErrorKind::InvalidInput | ErrorKind::InvalidData)
        && cause.get_ref().is_none_or(|inner| !inner.is::<ureq::Error>() && !inner.is::<rustls::Error>());
    if is_content {
        return Fault::new(TransportFault::Malformed, "its body is not encoded as it says");
    }
    Fault::of(cause.into())
}

const fn method(method: HttpMethod) -> Method {
    match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Head => Method::HEAD,
        HttpMethod::Options => Method::OPTIONS,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Delete => Method::DELETE,
    }
}

/// RFC 9110, section 9.2.2.
const fn is_idempotent(method: HttpMethod) -> bool {
    !matches!(method, HttpMethod::Post | HttpMethod::Patch)
}

const fn millis(duration: davy::Duration) -> Duration {
    Duration::from_millis(duration.millis())
}
