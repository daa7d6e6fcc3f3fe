//! An HTTP server on loopback that plays what a handler tells it, well or badly.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

/// A request as it came.
pub(crate) struct Request {
    pub(crate) path: String,
    /// By lower-case name.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) form: BTreeMap<String, String>,
    /// How many requests came before, over all connections.
    pub(crate) number: usize,
}

/// What the server does with a request.
pub(crate) enum Play {
    /// A whole answer.
    Answer { status: u16, headers: Vec<(&'static str, String)>, body: Vec<u8> },
    /// An answer that announces more than it holds, and then the end.
    Half { body: Vec<u8> },
    /// Bytes that are no HTTP, and then the end.
    Raw(Vec<u8>),
    /// The head of an answer, and then silence.
    StallInBody,
    /// Silence.
    Stall,
    /// The end, at once.
    Hangup,
}

impl Play {
    pub(crate) fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::status(200, body)
    }

    pub(crate) fn status(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Answer { status, headers: vec![("Content-Type", "application/json".to_owned())], body: body.into() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.retain(|(known, _)| *known != name);
            headers.push((name, value.into()));
        }
        self
    }
}

/// Ends when it is dropped.
pub(crate) struct Server {
    address: String,
    stopped: Arc<AtomicBool>,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) fn start(handler: impl Fn(&Request) -> Play + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = Self { address, stopped: Arc::default(), connections: Arc::default(), requests: Arc::default() };
        let (stopped, connections, requests) =
            (Arc::clone(&server.stopped), Arc::clone(&server.connections), Arc::clone(&server.requests));
        let handler = Arc::new(handler);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                connections.fetch_add(1, Ordering::SeqCst);
                let (handler, requests, stopped) = (Arc::clone(&handler), Arc::clone(&requests), Arc::clone(&stopped));
                thread::spawn(move || {
                    let _ = serve(&stream.unwrap(), &*handler, &requests, &stopped);
                });
            }
        });
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(&self.address);
    }
}

fn serve(
    stream: &TcpStream,
    handler: &dyn Fn(&Request) -> Play,
    requests: &AtomicUsize,
    stopped: &AtomicBool,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some(mut request) = read(&mut reader)? {
        request.number = requests.fetch_add(1, Ordering::SeqCst);
        let silence = || {
            while !stopped.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(20));
            }
            stream.shutdown(Shutdown::Both)
        };
        let mut out = stream;
        match handler(&request) {
            Play::Answer { status, headers, body } => out.write_all(&answer(status, &headers, &body, body.len()))?,
            Play::Half { body } => {
                let json = [("Content-Type", "application/json".to_owned())];
                out.write_all(&answer(200, &json, &body, body.len() + 100))?;
                return stream.shutdown(Shutdown::Both);
            }
            Play::Raw(bytes) => {
                out.write_all(&bytes)?;
                return stream.shutdown(Shutdown::Both);
            }
            Play::StallInBody => {
                out.write_all(&answer(200, &[("Content-Type", "application/json".to_owned())], b"{", 1000))?;
                return silence();
            }
            Play::Stall => return silence(),
            Play::Hangup => return stream.shutdown(Shutdown::Both),
        }
    }
    Ok(())
}

fn read(reader: &mut impl BufRead) -> std::io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = String::from_utf8(body).unwrap();
    let form = body.split('&').filter_map(|field| field.split_once('='));
    let form = form.map(|(name, value)| (name.to_owned(), decoded(value))).collect();
    Ok(Some(Request { path, headers, form, number: 0 }))
}

fn decoded(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn answer(status: u16, headers: &[(&str, String)], body: &[u8], length: usize) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n");
    if !headers.iter().any(|(name, _)| *name == "Date") {
        head += &format!("Date: {}\r\n", http_date(SystemTime::now()));
    }
    for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
        head += &format!("{name}: {value}\r\n");
    }
    let mut bytes = format!("{head}\r\n").into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// A date as HTTP headers have it.
pub(crate) fn http_date(at: SystemTime) -> String {
    let at = jiff_timestamp(at);
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn jiff_timestamp(at: SystemTime) -> jiff::Timestamp {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    jiff::Timestamp::from_second(i64::try_from(since.as_secs()).unwrap()).unwrap()
}
