//! A real Prometheus, with data that were made for it.
//!
//! Without its binaries on the `PATH` tests say that they were skipped; with `DAVY_REQUIRE_PROMETHEUS` they fail.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::{Duration, Instant};

use super::START;

/// A server with its own storage; it ends when it is dropped, or when this process does.
pub(crate) struct Peer {
    shell: Child,
    address: String,
    _folder: tempfile::TempDir,
}

/// Series in the text format of OpenMetrics, by family.
#[derive(Default)]
pub(crate) struct Metrics(Vec<Family>);

struct Family {
    name: &'static str,
    kind: &'static str,
    text: String,
}

impl Metrics {
    /// A series with a sample every quarter of a minute, at 7, 22, 37 … seconds from START, where there is one.
    pub(crate) fn add(
        &mut self,
        (name, kind): (&'static str, &'static str),
        labels: &str,
        (from, to): (i64, i64),
        value: impl Fn(i64) -> Option<f64>,
    ) {
        if !self.0.iter().any(|family| family.name == name) {
            self.0.push(Family { name, kind, text: String::new() });
        }
        let family = self.0.iter_mut().find(|family| family.name == name).unwrap();
        let suffix = match (kind, labels.contains("le=")) {
            ("counter", _) => "_total",
            (_, true) => "_bucket",
            _ => "",
        };
        let first = (from - 7).div_euclid(15) * 15 + 7;
        for second in (0..).map(|n| first + n * 15).take_while(|second| *second <= to) {
            if let Some(value) = value(second).filter(|_| second >= from) {
                writeln!(family.text, "{name}{suffix}{{{labels}}} {value} {}", START + second).unwrap();
            }
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for Family { name, kind, text: samples } in &self.0 {
            write!(text, "# TYPE {name} {kind}\n{samples}").unwrap();
        }
        text + "# EOF\n"
    }
}

/// The one server that all tests with these metrics share, while any of them runs.
pub(crate) fn shared(metrics: impl Fn() -> Metrics) -> Option<Arc<Peer>> {
    static RUNNING: Mutex<Weak<Peer>> = Mutex::new(Weak::new());
    let mut running = RUNNING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(peer) = running.upgrade() {
        return Some(peer);
    }
    let peer = Arc::new(Peer::start(Some(&metrics()), &[])?);
    *running = Arc::downgrade(&peer);
    Some(peer)
}

impl Peer {
    /// Loads metrics into blocks, and starts a server on them.
    pub(crate) fn start(metrics: Option<&Metrics>, flags: &[&str]) -> Option<Self> {
        let (prometheus, promtool) = (binary("prometheus")?, binary("promtool")?);
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("config.yml"), "global: { scrape_interval: 15s }\n").unwrap();
        fs::create_dir(path("data")).unwrap();
        if let Some(metrics) = metrics {
            fs::write(path("metrics.om"), metrics.text()).unwrap();
            let made = Command::new(promtool)
                .args(["tsdb", "create-blocks-from", "openmetrics"])
                .args([path("metrics.om"), path("data")])
                .output()
                .unwrap();
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        }
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        // The shell ends the server when its own input ends: with this process, however that ends.
        let shell = Command::new("sh")
            .args(["-c", "\"$@\" </dev/null >/dev/null 2>&1 & server=$!; cat >/dev/null; kill -9 $server", "sh"])
            .arg(prometheus)
            .arg(format!("--config.file={}", path("config.yml").display()))
            .arg(format!("--storage.tsdb.path={}", path("data").display()))
            .arg(format!("--web.listen-address={address}"))
            // The data are of a fixed day, which is long ago some day.
            .args(["--storage.tsdb.retention.time=100y", "--log.level=error"])
            .args(flags)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let peer = Self { shell, address, _folder: folder };
        let started = Instant::now();
        while ureq::get(format!("{}/-/ready", peer.url())).call().is_err() {
            assert!(started.elapsed() < Duration::from_secs(30), "Prometheus is not ready");
            thread::sleep(Duration::from_millis(50));
        }
        Some(peer)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// Where a program is, if it is installed.
fn binary(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        assert!(env::var_os("DAVY_REQUIRE_PROMETHEUS").is_none(), "`{name}` is not on the PATH");
        eprintln!("SKIPPED: `{name}` is not on the PATH (Debian: apt-get install prometheus)");
    }
    found
}
