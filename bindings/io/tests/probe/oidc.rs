//! A login service that others wrote: `oidc-provider-mock` from PyPI, through the whole code flow.

use std::io::Read as _;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use davy::ProbeVerdict as Verdict;

use crate::support::{plan, prober, run};

struct Provider {
    process: Child,
    port: u16,
}

impl Provider {
    /// Nothing where `DAVY_OIDC_MOCK` names no program.
    fn start() -> Option<Self> {
        let Some(program) = std::env::var_os("DAVY_OIDC_MOCK") else {
            eprintln!("SKIPPED: no DAVY_OIDC_MOCK");
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut process = Command::new(program)
            .args(["--port", &port.to_string(), "--user-claims", r#"{"sub": "alice", "email": "alice@example.org"}"#])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if process.try_wait().unwrap().is_some() || begun.elapsed() > Duration::from_secs(60) {
                let _ = process.kill();
                let mut said = String::new();
                process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
                panic!("the provider does not listen: {said}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        // What it says is not read; a full pipe would stop it.
        drop(process.stderr.take());
        Some(Self { process, port })
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_login_through_a_real_provider() {
    let Some(provider) = Provider::start() else { return };
    let base = format!("http://localhost:{}", provider.port);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), "cl13nt-s3cr3t").unwrap();
    let place = "{ client_id: shop, redirect_uri: \"http://localhost/back\", response_type: code, scope: openid email, state: \"${run.id}\", nonce: \"${run.id}\" }";
    let spec = format!(
        "  secrets: {{ client: \"file:{}/secret\" }}
  defaults: {{ timeout: 20s }}
  setup:
    - {{ id: discover, request: {{ path: /.well-known/openid-configuration }}, capture: {{ exchange: {{ jsonpath: $.token_endpoint }}, user: {{ jsonpath: $.userinfo_endpoint }} }}, expect: {{ status: 200, jsonpath: {{ $.issuer: {{ startsWith: \"http://localhost\" }}, $.scopes_supported: {{ contains: openid }} }} }} }}
    - {{ id: form, request: {{ path: /oauth2/authorize, query: {place} }}, expect: {{ status: 200, body: {{ contains: Authorize }} }} }}
    - {{ id: sign-in, request: {{ method: POST, path: /oauth2/authorize, query: {place}, form: {{ sub: alice }} }}, redirects: {{ max: 0 }},
        capture: {{ code: {{ header: location, regex: \"[?&]code=([^&]+)\", redact: true }}, state: {{ header: location, regex: \"[?&]state=([^&]+)\" }} }},
        expect: {{ status: 302, header: {{ location: {{ startsWith: \"http://localhost/back\" }} }} }} }}
    - {{ id: token, request: {{ method: POST, url: \"${{exchange}}\", auth: {{ basic: {{ user: shop, password: \"${{secrets.client}}\" }} }}, form: {{ grant_type: authorization_code, code: \"${{code}}\", redirect_uri: \"http://localhost/back\" }} }},
        when: {{ value: \"${{state}}\", is: {{ equals: \"${{run.id}}\" }} }},
        capture: {{ access: {{ jsonpath: $.access_token, redact: true }} }},
        expect: {{ status: 200, jsonpath: {{ $.token_type: Bearer, $.id_token: {{ regex: \"^[^.]+[.][^.]+[.][^.]+$\" }} }} }} }}
  steps:
    - {{ id: who, request: {{ url: \"${{user}}\", auth: {{ bearer: \"${{access}}\" }} }}, expect: {{ status: 200, jsonpath: {{ $.sub: alice, $.email: alice@example.org }} }} }}
    - {{ id: nobody, request: {{ path: /userinfo }}, expect: {{ status: 401, header: {{ www-authenticate: {{ regex: \"(?i)^bearer\" }} }} }} }}
    - {{ id: keys, request: {{ path: /jwks }}, expect: {{ status: 200, jsonpath: {{ \"$.keys[*].kty\": {{ all: {{ exists: true }}, count: {{ gte: 1 }} }} }} }} }}
  teardown:
    - {{ id: sign-out, request: {{ path: /oauth2/end_session }}, expect: {{ status: [200, 302, 303] }} }}
",
        folder.path().display()
    );
    let result = run(&prober(), &plan(&base, &spec));
    assert_eq!(result.verdict, Verdict::Pass, "{result:#?}");
    assert!(result.steps.iter().all(|step| step.verdict == Verdict::Pass), "{result:#?}");
    let token = result.steps.iter().find(|step| step.id == "token").unwrap();
    assert!(!format!("{token:?}").contains("cl13nt-s3cr3t"));
}
