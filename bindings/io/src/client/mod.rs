//! HTTP for questions that may be asked again: one deadline over all attempts, bounded answers, secrets kept.

mod deadline;
mod error;
mod resolve;
mod retry;
mod secret;

pub use deadline::Deadline;
pub use error::ClientError;
pub use retry::Retry;
pub use secret::{Auth, Credential, Secret};

pub(crate) use secret::base64;

use std::fs;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use davy::Instant;
use ureq::http::{HeaderMap, HeaderValue, Uri, header};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Proxy, Timeout};

/// How many connections to one server are kept open between requests.
pub(crate) const CONNECTIONS: usize = 4;

/// Whom to ask, and how.
///
/// ```
/// use davy_io::{Auth, ClientConfig, Credential};
/// let mut config = ClientConfig::new("https://prometheus.example:9090/prometheus")?;
/// config.auth = Some(Auth::Bearer(Credential::File("/var/run/secrets/token".into())));
/// config.ca = Some("/etc/ssl/private-ca.pem".into());
/// # Ok::<(), davy_io::ClientError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ClientConfig {
    url: String,
    host: String,
    /// Who is asking; nobody by default.
    pub auth: Option<Auth>,
    /// The authorities that the server's certificate may come from, as PEM; by default those of the web.
    pub ca: Option<PathBuf>,
    /// The client's own certificate, with those between it and its authority, as PEM.
    pub identity: Option<Identity>,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How long the server may say nothing: before its answer, and between the parts of it.
    pub silence: Duration,
    /// When to ask again.
    pub retry: Retry,
    /// The largest answer, in bytes.
    pub largest: u64,
}

/// A client's certificate and its key, both as PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, then those that signed it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl ClientConfig {
    /// For a server's URL: `http` or `https`, perhaps with a path that all of its addresses begin with.
    ///
    /// # Errors
    /// [`ClientError::Url`], also for a user or password in the URL, which would end up in logs.
    pub fn new(url: &str) -> Result<Self, ClientError> {
        // Whatever stands before the last `@` may be a secret.
        let shown = url.rsplit_once('@').map_or_else(|| url.to_owned(), |(_, rest)| format!("…@{rest}"));
        let refuse = |cause| ClientError::Url { url: shown.chars().take(200).collect(), cause };
        let uri: Uri = url.parse().map_err(|_| refuse("it is not a URL"))?;
        let authority = uri.authority().ok_or_else(|| refuse("it names no host"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(refuse("it is neither http nor https"));
        }
        if authority.as_str().contains('@') {
            return Err(refuse("it holds credentials, which belong apart from it"));
        }
        if uri.query().is_some() || url.contains('#') {
            return Err(refuse("it has more than a host and a path"));
        }
        Ok(Self {
            url: url.trim_end_matches('/').to_owned(),
            host: authority.as_str().to_owned(),
            auth: None,
            ca: None,
            identity: None,
            connect_timeout: Duration::from_secs(2),
            silence: Duration::from_secs(10),
            retry: Retry::default(),
            largest: 64 << 20,
        })
    }
}

/// Asks one server. Cheap to clone; connections are kept and shared between threads.
#[derive(Debug, Clone)]
pub struct Client {
    config: Arc<ClientConfig>,
    agent: Agent,
}

/// What a server said, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The media type, in lower case and without parameters; empty where none was given.
    pub content_type: String,
    /// The server's clock, to the second.
    pub date: Option<Instant>,
    /// The host's clock when the request was sent.
    pub sent: Instant,
    /// The host's clock when the head of the answer had come.
    pub received: Instant,
    /// The answer.
    pub body: Vec<u8>,
}

/// A reply, and how long the server asks to wait before the next request.
struct Answered {
    reply: Reply,
    retry_after: Option<Duration>,
}

impl Client {
    /// Reads the certificates. Nothing is asked yet.
    ///
    /// # Errors
    /// [`ClientError::File`] and [`ClientError::Pem`].
    pub fn new(config: ClientConfig) -> Result<Self, ClientError> {
        let mut tls = TlsConfig::builder();
        if let Some(path) = &config.ca {
            tls = tls.root_certs(RootCerts::Specific(Arc::new(certificates(path)?)));
        }
        if let Some(identity) = &config.identity {
            let chain = certificates(&identity.certificate)?;
            tls = tls.client_cert(Some(ClientCert::new_with_certs(&chain, key(&identity.key)?)));
        }
        let settings = Agent::config_builder()
            .tls_config(tls.build())
            .proxy(proxy(&config.host))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("davy/", env!("CARGO_PKG_VERSION")))
            .accept("application/json")
            .timeout_connect(Some(config.connect_timeout))
            .timeout_recv_response(Some(config.silence))
            .timeout_per_read(Some(config.silence))
            .max_idle_connections_per_host(CONNECTIONS)
            .build();
        let agent = Agent::with_parts(settings, DefaultConnector::new(), resolve::LiteralsFirst::default());
        Ok(Self { config: Arc::new(config), agent })
    }

    /// The server's host and port.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.config.host
    }

    /// Sends a form by POST, again where it may help, until the deadline. The question must be one that may
    /// be asked twice.
    ///
    /// A status that says "later" is the reply once all attempts are used up, or where the pause that the
    /// server asks for is longer than the time left.
    ///
    /// # Errors
    /// [`ClientError`], of the last attempt.
    pub fn post_form(&self, path: &str, fields: &[(&str, &str)], deadline: Deadline) -> Result<Reply, ClientError> {
        let url = format!("{}{path}", self.config.url);
        let mut attempts = 0;
        loop {
            let Some(left) = deadline.left() else {
                return Err(ClientError::Deadline { host: self.config.host.clone() });
            };
            attempts += 1;
            let outcome = self.once(&url, fields, left);
            let pause = match &outcome {
                Ok(answered) if !retry::may_pass(answered.reply.status) => None,
                Ok(answered) => self.config.retry.after(attempts, answered.retry_after),
                Err(error) if error.may_pass() => self.config.retry.after(attempts, None),
                Err(_) => None,
            };
            match pause.filter(|pause| deadline.left().is_some_and(|left| *pause < left)) {
                Some(pause) => thread::sleep(pause),
                None => return outcome.map(|answered| answered.reply).map_err(|error| error.after(attempts)),
            }
        }
    }

    fn once(&self, url: &str, fields: &[(&str, &str)], left: Duration) -> Result<Answered, ClientError> {
        let mut request = self.agent.post(url).config().timeout_global(Some(left)).build();
        if let Some(auth) = &self.config.auth {
            let mut value =
                HeaderValue::from_str(&auth.header()?).map_err(|_| ClientError::Secret { what: "a password" })?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        let sent = wall_clock();
        let mut response = request.send_form(fields.iter().copied()).map_err(|cause| self.failed(cause, left))?;
        let received = wall_clock();
        let status = response.status().as_u16();
        let headers = response.headers();
        if (300..400).contains(&status) {
            return Err(ClientError::Redirect { host: self.config.host.clone(), to: target(headers) });
        }
        let date = text(headers, header::DATE).and_then(retry::http_date);
        let retry_after = text(headers, header::RETRY_AFTER).and_then(|value| retry::retry_after(value, received));
        let content_type = text(headers, header::CONTENT_TYPE).and_then(|value| value.split(';').next());
        let content_type = content_type.unwrap_or_default().trim().to_ascii_lowercase();
        let mut body = Vec::new();
        let limit = self.config.largest;
        // One byte more than allowed tells too much from just enough.
        let mut reader = response.body_mut().with_config().limit(limit.saturating_add(2)).reader();
        let read = reader.by_ref().take(limit.saturating_add(1)).read_to_end(&mut body);
        read.map_err(|cause| self.failed(cause.into(), left))?;
        if body.len() as u64 > limit {
            return Err(ClientError::TooLarge { host: self.config.host.clone(), limit });
        }
        Ok(Answered { reply: Reply { status, content_type, date, sent, received, body }, retry_after })
    }

    fn failed(&self, error: ureq::Error, left: Duration) -> ClientError {
        let host = self.config.host.clone();
        let transport = |cause: String| ClientError::Transport { host: host.clone(), cause, attempts: 1 };
        match error {
            ureq::Error::Timeout(which) => {
                let waited = match which {
                    Timeout::Connect | Timeout::Resolve => self.config.connect_timeout,
                    Timeout::Global => left,
                    _ => self.config.silence,
                };
                ClientError::Timeout { host, waited: waited.min(left), attempts: 1 }
            }
            ureq::Error::Rustls(cause) => ClientError::Tls { host, cause: cause.to_string() },
            ureq::Error::Tls(cause) => ClientError::Tls { host, cause: cause.to_owned() },
            // rustls speaks through the errors of reading and writing.
            ureq::Error::Io(cause) if cause.kind() == ErrorKind::InvalidData => {
                ClientError::Tls { host, cause: in_words(&cause) }
            }
            ureq::Error::Io(cause) => transport(in_words(&cause)),
            ureq::Error::HostNotFound => transport("no such host".to_owned()),
            // Whatever else it is, it is not about what was asked.
            other => transport(other.to_string()),
        }
    }
}

/// The host's clock.
pub(crate) fn wall_clock() -> Instant {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Instant::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The proxy that the environment names, but never for this machine itself.
fn proxy(host: &str) -> Option<Proxy> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let local = name == "localhost" || name == "[::1]" || name.starts_with("127.");
    if local { None } else { Proxy::try_from_env() }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Where a redirect points: without its query, which may carry a token.
fn target(headers: &HeaderMap) -> String {
    let to = text(headers, header::LOCATION).unwrap_or_default();
    let plain = to.split(['?', '#']).next().unwrap_or_default();
    let plain = plain.rsplit_once('@').map_or_else(|| plain.to_owned(), |(_, rest)| format!("…@{rest}"));
    format!("{:?}", plain.chars().take(200).collect::<String>())
}

/// What the operating system said, without the number.
fn in_words(cause: &io::Error) -> String {
    let text = cause.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

fn read(path: &Path) -> Result<Vec<u8>, ClientError> {
    fs::read(path).map_err(|cause| ClientError::File { path: path.to_owned(), cause: cause.kind() })
}

/// Every certificate of a file, of which there must be one.
fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, ClientError> {
    let refuse = || ClientError::Pem { path: path.to_owned(), expected: "certificate" };
    let mut found = Vec::new();
    for item in parse_pem(&read(path)?) {
        if let PemItem::Certificate(certificate) = item.map_err(|_| refuse())? {
            found.push(certificate);
        }
    }
    if found.is_empty() { Err(refuse()) } else { Ok(found) }
}

fn key(path: &Path) -> Result<PrivateKey<'static>, ClientError> {
    let refuse = |_| ClientError::Pem { path: path.to_owned(), expected: "private key" };
    PrivateKey::from_pem(&read(path)?).map_err(refuse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_host_and_a_path() {
        for url in ["http://127.0.0.1:9090", "https://prometheus.example/prometheus/", "http://[::1]:9090"] {
            assert!(ClientConfig::new(url).is_ok(), "{url}");
        }
        for url in ["", "prometheus:9090", "/metrics", "ftp://host", "http://", "http://host/?a=b", "http://host/#x"] {
            assert!(matches!(ClientConfig::new(url), Err(ClientError::Url { .. })), "{url}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_refused_and_not_shown() {
        for url in ["http://me:hunter2@host:9090/", "http://hunter2@host", "me:hunter2@host", "http://a b:hunter2@host"]
        {
            let error = ClientConfig::new(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn this_machine_is_asked_without_a_proxy() {
        for host in ["127.0.0.1:9090", "localhost", "localhost:80", "[::1]:9090"] {
            assert!(proxy(host).is_none(), "{host}");
        }
    }
}
