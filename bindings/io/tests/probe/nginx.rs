//! A server that others wrote: Debian's nginx.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use davy::ProbeVerdict as Verdict;

use crate::support::{only, plan, prober, run};

struct Nginx {
    process: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Nginx {
    /// Nothing where there is no nginx, unless `DAVY_REQUIRE_NGINX` says that there must be one.
    fn start() -> Option<Self> {
        let program = ["/usr/sbin/nginx", "nginx"].into_iter().find(|program| {
            Command::new(program).arg("-v").stderr(Stdio::null()).status().is_ok_and(|status| status.success())
        });
        let Some(program) = program else {
            assert!(std::env::var_os("DAVY_REQUIRE_NGINX").is_none(), "nginx is required and not there");
            eprintln!("SKIPPED: no nginx");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir(root.join("www")).unwrap();
        std::fs::write(root.join("www/index.html"), "<h1>Welcome</h1>").unwrap();
        std::fs::write(root.join("www/cart.json"), r#"{"total":31.5,"items":[{"sku":"A1","price":9.5}]}"#).unwrap();
        std::fs::write(root.join("www/long.txt"), "long ".repeat(10_000)).unwrap();
        std::fs::write(root.join("users"), "probe:{PLAIN}c4n4ry-pa55word\n").unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = format!(
            "pid {root}/pid; error_log {root}/error.log; daemon off; worker_processes 1;
             events {{ worker_connections 64; }}
             http {{ access_log off; default_type text/plain; types {{ text/html html; application/json json; }}
               gzip on; gzip_types text/plain; client_body_temp_path {root}/b; proxy_temp_path {root}/p; fastcgi_temp_path {root}/f; uwsgi_temp_path {root}/u; scgi_temp_path {root}/s;
               server {{ listen 127.0.0.1:{port}; root {root}/www; keepalive_requests 3;
                 location /moved {{ return 301 /cart.json; }}
                 location /login {{ add_header Set-Cookie 'session=nginx-session; Path=/'; return 200 'hello'; }}
                 location /inside {{ if ($cookie_session != nginx-session) {{ return 403; }} return 200 'inside'; }}
                 location /private {{ auth_basic private; auth_basic_user_file {root}/users; try_files /index.html =404; }}
                 location /busy {{ add_header Retry-After 0 always; return 503; }} }} }}",
            root = root.display()
        );
        std::fs::write(root.join("nginx.conf"), config).unwrap();
        let process = Command::new(program)
            .arg("-c")
            .arg(root.join("nginx.conf"))
            .arg("-p")
            .arg(root)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let nginx = Self { process, port, _folder: folder };
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "nginx does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(nginx)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // The master tells its worker when it is asked kindly; by force it would leave it behind.
        let _ = Command::new("kill").arg("-TERM").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}

#[test]
fn a_journey_through_nginx() {
    let Some(nginx) = Nginx::start() else { return };
    let base = format!("http://127.0.0.1:{}", nginx.port);
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, "c4n4ry-pa55word\n").unwrap();
    let spec = format!(
        "  secrets: {{ password: \"file:{}\" }}
  setup:
    - {{ id: login, request: {{ path: /login }}, expect: {{ status: 200, cookie: {{ session: {{ exists: true }} }} }} }}
  steps:
    - {{ id: home, request: {{ path: / }}, capture: {{ tag: {{ header: etag }} }}, expect: {{ status: 200, header: {{ content-type: {{ contains: html }}, server: {{ contains: nginx }} }}, body: {{ contains: Welcome }} }} }}
    - {{ id: same, request: {{ path: /, headers: {{ if-none-match: \"${{tag}}\" }} }}, expect: {{ status: 304, body: {{ maxBytes: 0 }} }} }}
    - {{ id: cart, request: {{ path: /moved }}, expect: {{ status: 200, redirects: 1, jsonpath: {{ \"$.items[*].price\": {{ all: {{ gt: 0 }}, count: 1 }} }} }} }}
    - {{ id: head, request: {{ method: HEAD, path: /cart.json }}, expect: {{ status: 200, header: {{ content-length: \"49\" }}, body: {{ maxBytes: 0 }} }} }}
    - {{ id: packed, request: {{ path: /long.txt, headers: {{ accept-encoding: gzip }} }}, expect: {{ status: 200, header: {{ content-encoding: gzip }}, body: {{ minBytes: 50000, maxBytes: 50000 }} }} }}
    - {{ id: inside, request: {{ path: /inside }}, expect: {{ status: 200, body: {{ equals: inside }} }} }}
    - {{ id: private, request: {{ path: /private, auth: {{ basic: {{ user: probe, password: \"${{secrets.password}}\" }} }} }}, expect: {{ status: 200, body: {{ contains: Welcome }} }} }}
    - {{ id: denied, request: {{ path: /private }}, expect: {{ status: 401, header: {{ www-authenticate: {{ contains: Basic }} }} }} }}
    - {{ id: gone, request: {{ path: /nothing }}, expect: {{ status: 404, body: {{ contains: nginx }} }} }}
    - {{ id: busy, severity: should, request: {{ path: /busy }}, retry: {{ attempts: 3, on: [503], backoff: {{ base: 1ms }} }}, expect: {{ status: 200, body: {{ minBytes: 1 }} }} }}
",
        password.display()
    );
    let result = run(&prober(), &plan(&base, &spec));
    // The last step only should pass, and does not.
    assert_eq!(result.verdict, Verdict::Degraded, "{result:#?}");
    let not_passed: Vec<&str> =
        result.steps.iter().filter(|step| step.verdict != Verdict::Pass).map(|step| step.id.as_str()).collect();
    assert_eq!(not_passed, ["busy"], "{result:#?}");
    assert_eq!(result.steps.last().unwrap().attempts.len(), 3);
    assert!(only(&result).timings.connect.is_some());
    // Every third request nginx closes the connection: new ones are made without a word.
    let connects = result.attempts().filter(|attempt| attempt.timings.connect.is_some()).count();
    assert!((3..=8).contains(&connects), "{connects}");
}
