//! A service to probe: a shop with a login, and every way to answer badly. Plain or encrypted, on loopback.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;

pub(crate) const PASSWORD: &str = "c4n4ry+pa55/w&rd";
pub(crate) const CLIENT_SECRET: &str = "cl13nt-s3cr3t-42";
pub(crate) const TOKEN: &str = "t0k3n-0f-th3-m4ch1ne";
pub(crate) const HUGE: usize = 4 << 20;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// Which connection it came on.
    pub(crate) connection: usize,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Default)]
struct State {
    seen: Vec<Seen>,
    keep_seen: bool,
    counters: BTreeMap<String, u32>,
    sessions: BTreeSet<String>,
    /// Idempotency keys and what was answered.
    answered: BTreeMap<String, String>,
    /// Tokens issued, and how many of the first are no longer valid.
    tokens: u32,
    revoked: u32,
    faults: u32,
}

/// A server that runs until it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) encrypted: bool,
    state: Arc<Mutex<State>>,
    over: Arc<AtomicBool>,
}

impl Server {
    pub(crate) fn plain() -> Self {
        Self::start(None)
    }

    pub(crate) fn encrypted(config: ServerConfig) -> Self {
        Self::start(Some(Arc::new(config)))
    }

    fn start(tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { keep_seen: true, ..State::default() }));
        let over = Arc::new(AtomicBool::new(false));
        let server = Self { address, encrypted: tls.is_some(), state: Arc::clone(&state), over: Arc::clone(&over) };
        thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let (state, tls) = (Arc::clone(&state), tls.clone());
                thread::spawn(move || match tls {
                    None => talk(stream, &state, connection),
                    Some(tls) => {
                        let session = ServerConnection::new(tls).unwrap();
                        talk(StreamOwned::new(session, stream), &state, connection);
                    }
                });
            }
        });
        server
    }

    /// Where it is, by the address.
    pub(crate) fn base(&self) -> String {
        format!("{}://{}", if self.encrypted { "https" } else { "http" }, self.address)
    }

    /// Where it is, by a name.
    pub(crate) fn named(&self, name: &str) -> String {
        format!("{}://{name}:{}", if self.encrypted { "https" } else { "http" }, self.address.port())
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.lock().unwrap().seen.clone()
    }

    /// For many requests, of which none is looked at.
    pub(crate) fn forget(&self) {
        self.state.lock().unwrap().keep_seen = false;
    }

    /// The tokens that were issued are no longer valid.
    pub(crate) fn revoke(&self) {
        let mut state = self.state.lock().unwrap();
        state.revoked = state.tokens;
    }

    pub(crate) fn tokens(&self) -> u32 {
        self.state.lock().unwrap().tokens
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // Wakes the one who listens.
        let _ = TcpStream::connect(self.address);
    }
}

/// Reads requests and answers them for as long as both sides like.
fn talk(mut stream: impl Read + Write, state: &Mutex<State>, connection: usize) {
    while let Some(request) = receive(&mut stream, connection) {
        {
            let mut state = state.lock().unwrap();
            if state.keep_seen {
                state.seen.push(request.clone());
            }
        }
        if !answer(&request, state, &mut stream) {
            return;
        }
    }
}

fn receive(stream: &mut impl Read, connection: usize) -> Option<Seen> {
    let mut read = Vec::new();
    let mut part = [0; 4096];
    let end = loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        let count = stream.read(&mut part).ok().filter(|count| *count > 0)?;
        read.extend_from_slice(&part[..count]);
        // Somebody who wants to speak TLS.
        if read[0] == 0x16 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&read[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, place) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length =
        headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = read[end + 4..].to_vec();
    while body.len() < length {
        let count = stream.read(&mut part).ok().filter(|count| *count > 0)?;
        body.extend_from_slice(&part[..count]);
    }
    let (path, query) = place.split_once('?').map_or((place.as_str(), ""), |(path, query)| (path, query));
    let (path, query) = (path.to_owned(), query.to_owned());
    Some(Seen { method, path, query, headers, body: String::from_utf8_lossy(&body).into_owned(), connection })
}

/// What the usual answer is made of.
struct Usual<'a> {
    status: u16,
    headers: Vec<(&'a str, String)>,
    body: Vec<u8>,
}

fn text(status: u16, body: &str) -> Usual<'static> {
    Usual { status, headers: vec![("content-type", "text/html".to_owned())], body: body.as_bytes().to_vec() }
}

fn data(status: u16, body: &serde_json::Value) -> Usual<'static> {
    let headers = vec![("content-type", "application/json".to_owned())];
    Usual { status, headers, body: body.to_string().into_bytes() }
}

impl Usual<'_> {
    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn send(self, head_only: bool, stream: &mut impl Write) -> bool {
        let mut out = format!("HTTP/1.1 {} x\r\ncontent-length: {}\r\n", self.status, self.body.len()).into_bytes();
        for (name, value) in &self.headers {
            out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        if !head_only {
            out.extend_from_slice(&self.body);
        }
        stream.write_all(&out).and_then(|()| stream.flush()).is_ok()
    }
}

fn raw(stream: &mut impl Write, bytes: &[u8]) -> bool {
    let _ = stream.write_all(bytes).and_then(|()| stream.flush());
    false
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Answers; whether the connection stays.
fn answer(request: &Seen, state: &Mutex<State>, stream: &mut impl Write) -> bool {
    let count = |key: &str| {
        let mut state = state.lock().unwrap();
        let counter = state.counters.entry(key.to_owned()).or_default();
        *counter += 1;
        *counter
    };
    let first = request.path.split('/').nth(1).unwrap_or_default();
    let usual = match first {
        "" | "ok" => text(200, "<h1>Welcome</h1>"),
        "slow" => {
            thread::sleep(Duration::from_millis(150));
            text(200, "at last")
        }
        "never" => {
            thread::sleep(Duration::from_secs(3));
            text(200, "too late")
        }
        "drip" => {
            let _ = stream.write_all(b"HTTP/1.1 200 x\r\ncontent-length: 1000\r\n\r\n");
            for _ in 0..60 {
                if stream.write_all(b".").and_then(|()| stream.flush()).is_err() {
                    break;
                }
                thread::sleep(Duration::from_millis(50));
            }
            return false;
        }
        "flaky" if count(&request.path) % 2 == 1 => text(503, "again please").with("retry-after", "0"),
        "flaky" => text(200, "there"),
        // One answer in ten is a fault of some kind; for soaks.
        "faulty" => {
            let number = {
                let mut state = state.lock().unwrap();
                state.faults += 1;
                state.faults
            };
            match number % 40 {
                7 => text(500, "oops"),
                17 => return raw(stream, b""),
                27 => return raw(stream, b"HTTP/1.1 200 x\r\ncontent-length: 100\r\n\r\nhalf"),
                37 => return raw(stream, b"what is this?\r\n\r\n"),
                _ => text(200, "<h1>Welcome</h1>"),
            }
        }
        "chunked" => {
            let body = "transfer-encoding: chunked\r\ncontent-type: application/json\r\n\r\n";
            let _ = stream.write_all(format!("HTTP/1.1 200 x\r\n{body}").as_bytes());
            for part in ["9;ext=1\r\n{\"parts\":\r\n", "3\r\n[1,\r\n", "4\r\n2]}\n\r\n", "0\r\nx-sum: 3\r\n\r\n"] {
                let _ = stream.write_all(part.as_bytes()).and_then(|()| stream.flush());
                thread::sleep(Duration::from_millis(5));
            }
            return true;
        }
        "huge" => text(200, &"x".repeat(HUGE)),
        "gzip" => {
            Usual { body: gzip(b"{\"packed\":true}"), ..data(200, &json!(null)) }.with("content-encoding", "gzip")
        }
        "bomb" => Usual { body: gzip(&vec![0; 4 << 20]), ..text(200, "") }.with("content-encoding", "gzip"),
        "badgzip" => text(200, "this is not packed").with("content-encoding", "gzip"),
        "binary" => Usual { body: vec![0, 159, 146, 150, 255], ..text(200, "") },
        "old" => return raw(stream, b"HTTP/1.0 200 x\r\ncontent-type: text/plain\r\n\r\nuntil the end"),
        "garbage" => return raw(stream, b"\x16\x03\x01 what is this?\r\n\r\n"),
        "badstatus" => return raw(stream, b"HTTP/1.1 abc x\r\n\r\n"),
        "half" => return raw(stream, b"HTTP/1.1 200 x\r\ncontent-length: 100\r\n\r\nonly this"),
        "badchunk" => return raw(stream, b"HTTP/1.1 200 x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nno\r\n0\r\n\r\n"),
        "close" => return raw(stream, b""),
        "endless" => {
            let _ = stream.write_all(b"HTTP/1.1 200 x\r\n");
            for number in 0..20_000 {
                if stream.write_all(format!("x-{number}: {}\r\n", "y".repeat(100)).as_bytes()).is_err() {
                    break;
                }
            }
            return false;
        }
        // Says that the connection stays, and closes it.
        "liar" => {
            text(200, "see you").send(false, stream);
            return false;
        }
        "redirect" => {
            let to = request.query.strip_prefix("to=").unwrap_or_default();
            text(302, "elsewhere").with("location", decoded(to))
        }
        "see-other" => text(303, "").with("location", "/headers"),
        "around" => text(302, "").with("location", "/around"),
        "headers" => {
            let headers: serde_json::Map<String, serde_json::Value> =
                request.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            data(
                200,
                &json!({ "method": request.method, "query": request.query, "headers": headers, "body": request.body }),
            )
        }
        "echo" => data(
            200,
            &json!({ "echo": request.body, "query": request.query, "password": PASSWORD, "token": TOKEN,
                "authorization": request.header("authorization"), "cookie": request.header("cookie") }),
        )
        .with("x-echo", format!("{} {PASSWORD}", request.header("authorization").unwrap_or_default()))
        .with("set-cookie", "sid=c00kie-of-the-echo; Path=/"),
        "pair" => {
            let canary = request.header("x-canary") == Some("always");
            text(if canary { 500 } else { 200 }, if canary { "the canary" } else { "the baseline" })
        }
        "upstream" => text(503, "both are broken"),
        _ => shop(request, state, &count),
    };
    usual.send(request.method == "HEAD", stream)
}

/// The shop of the ready flows: a login by form, tokens for machines, carts and orders.
fn shop(request: &Seen, state: &Mutex<State>, count: &dyn Fn(&str) -> u32) -> Usual<'static> {
    let form: BTreeMap<&str, String> =
        request.body.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k, decoded(v))).collect();
    let cookie = |name: &str| {
        let prefix = format!("{name}=");
        let all = request.header("cookie").unwrap_or_default().to_owned();
        all.split("; ").find_map(|pair| pair.strip_prefix(&prefix).map(str::to_owned))
    };
    let bearer = || {
        let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let number: Option<u32> = token.and_then(|token| token.strip_prefix(&format!("{TOKEN}-"))?.parse().ok());
        let state = state.lock().unwrap();
        number.is_some_and(|number| state.revoked < number && number <= state.tokens) || token == Some(TOKEN)
    };
    let no_token = || text(401, "no token").with("www-authenticate", "Bearer");
    let parts: Vec<&str> = request.path.split('/').skip(1).collect();
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["login"]) => {
            let csrf = format!("csrf-{}-of-the-form", count("csrf"));
            text(200, &format!("<form><input type=hidden name=\"csrf_token\" value=\"{csrf}\"></form>"))
                .with("set-cookie", format!("csrf={csrf}; Path=/; HttpOnly"))
        }
        ("POST", ["login"]) => {
            let fits = form.contains_key("csrf_token") && form.get("csrf_token").cloned() == cookie("csrf");
            if !fits {
                return text(403, "forged");
            }
            if form.get("password").map(String::as_str) != Some(PASSWORD) {
                return text(403, "wrong password");
            }
            let session = format!("session-number-{}", count("session"));
            state.lock().unwrap().sessions.insert(session.clone());
            text(303, "")
                .with("location", "/account")
                .with("set-cookie", format!("session={session}; Path=/; HttpOnly"))
        }
        ("GET", ["account"]) => match cookie("session") {
            Some(session) if state.lock().unwrap().sessions.contains(&session) => text(200, "probe's account"),
            _ => text(302, "").with("location", "/login"),
        },
        ("POST", ["logout"]) => {
            if let Some(session) = cookie("session") {
                state.lock().unwrap().sessions.remove(&session);
            }
            text(303, "").with("location", "/").with("set-cookie", "session=; Path=/; Max-Age=0")
        }
        ("GET", ["metrics"]) => {
            let expected = format!("Basic {}", base64(&format!("probe:{PASSWORD}")));
            if request.header("authorization") == Some(&expected) {
                text(200, "numbers")
            } else {
                text(401, "who are you?").with("www-authenticate", "Basic realm=\"metrics\"")
            }
        }
        ("GET", ["api", "report"]) if bearer() => data(200, &json!({ "report": 1 })),
        ("GET", ["api", "report"]) => no_token(),
        ("POST", ["oauth2", "token"]) => {
            let expected = format!("Basic {}", base64(&format!("probe:{CLIENT_SECRET}")));
            let machine = form.get("grant_type").map(String::as_str) == Some("client_credentials");
            if request.header("authorization") != Some(&expected) || !machine {
                return data(401, &json!({ "error": "invalid_client" }));
            }
            let mut state = state.lock().unwrap();
            state.tokens += 1;
            let token = format!("{TOKEN}-{}", state.tokens);
            data(200, &json!({ "access_token": token, "token_type": "Bearer", "expires_in": 3600 }))
        }
        (_, ["carts" | "orders", ..]) if !bearer() => no_token(),
        ("POST", ["carts"]) => {
            let key = request.header("idempotency-key").unwrap_or_default().to_owned();
            let cart = format!("cart-{}", count("cart"));
            let cart = state.lock().unwrap().answered.entry(key).or_insert(cart).clone();
            let asked: serde_json::Value = serde_json::from_str(&request.body).unwrap();
            data(201, &json!({ "id": cart, "total": 31.5, "items": [asked] }))
        }
        ("POST", ["carts", cart, "pay"]) => {
            let asked: serde_json::Value = serde_json::from_str(&request.body).unwrap();
            data(200, &json!({ "order": { "id": format!("order-of-{cart}"), "amount": asked["amount"] } }))
        }
        ("GET", ["orders", order]) => {
            let state = if count(&format!("order {order}")) < 3 { "pending" } else { "settled" };
            data(200, &json!({ "state": state }))
        }
        ("DELETE", ["orders", _]) => Usual { status: 204, headers: Vec::new(), body: Vec::new() },
        _ => text(404, "nothing here"),
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let (byte, after) = match first {
            b'+' => (b' ', after),
            b'%' => (u8::from_str_radix(std::str::from_utf8(&after[..2]).unwrap(), 16).unwrap(), &after[2..]),
            other => (*other, after),
        };
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).unwrap()
}

pub(crate) fn base64(text: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in text.as_bytes().chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let sextet = (bits >> (18 - 6 * place) & 63) as usize;
            out.push(if place <= three.len() { ALPHABET[sextet] as char } else { '=' });
        }
    }
    out
}
