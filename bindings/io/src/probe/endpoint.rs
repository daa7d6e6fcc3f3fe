//! An endpoint for Prometheus: `GET /metrics` and `GET /healthz`, and nothing else.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::board::Board;
use super::stop::Stop;

/// The longest head of a request that is read, in bytes.
const LONGEST: usize = 8 << 10;
/// How long a request, and the sending of an answer, may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many are answered at the same time; more wait.
const AT_ONCE: usize = 8;

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";

/// A server of metrics.
#[derive(Debug)]
pub struct Endpoint {
    listener: TcpListener,
}

impl Endpoint {
    /// Listens. Nothing is answered before [`Endpoint::serve`].
    ///
    /// # Errors
    /// As the operating system says.
    pub fn bind(address: &str) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        // So that it can be told to stop.
        listener.set_nonblocking(true)?;
        Ok(Self { listener })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until it is time to stop.
    pub fn serve(&self, board: &Mutex<Board>, stop: &Stop) {
        thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                let worker = thread::Builder::new().name("davy-metrics".to_owned());
                // Fewer answer more slowly.
                let _ = worker.spawn_scoped(scope, || self.answer(board, stop));
            }
        });
    }

    fn answer(&self, board: &Mutex<Board>, stop: &Stop) {
        while !stop.is_set() {
            match self.listener.accept() {
                // Whoever asks has to cope with a connection that broke.
                Ok((stream, _)) => _ = one(stream, board),
                Err(_) => _ = stop.wait(Duration::from_millis(50)),
            }
        }
    }
}

fn one(mut stream: TcpStream, board: &Mutex<Board>) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let head = head(&mut stream)?;
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = path.split('?').next().unwrap_or_default();
    let (status, kind, body) = match (method, path) {
        ("GET" | "HEAD", "/metrics") => {
            let board = board.lock().unwrap_or_else(PoisonError::into_inner).clone();
            ("200 OK", OPENMETRICS, board.to_openmetrics())
        }
        ("GET" | "HEAD", "/healthz") => ("200 OK", PLAIN, "ok\n".to_owned()),
        ("GET" | "HEAD", _) => ("404 Not Found", PLAIN, "there is /metrics and /healthz\n".to_owned()),
        _ => ("405 Method Not Allowed", PLAIN, "only GET\n".to_owned()),
    };
    let length = body.len();
    let body = if method == "HEAD" { "" } else { &body };
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(answer.as_bytes())
}

/// The head of a request, up to the empty line.
fn head(stream: &mut TcpStream) -> io::Result<String> {
    let begun = Instant::now();
    let mut read = Vec::new();
    let mut part = [0; 1024];
    while !read.windows(4).any(|end| end == b"\r\n\r\n") {
        let left = PATIENCE.saturating_sub(begun.elapsed());
        if left.is_zero() || read.len() > LONGEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        stream.set_read_timeout(Some(left))?;
        let count = stream.read(&mut part)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        read.extend_from_slice(part.get(..count).unwrap_or_default());
    }
    Ok(String::from_utf8_lossy(&read).into_owned())
}
