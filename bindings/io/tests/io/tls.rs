//! TLS: whom the client trusts, and who it says it is.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use davy_io::{Client, ClientConfig, ClientError, Deadline, Identity, Reply, Retry};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, Stream};

/// An authority, and files of what it signed.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let authority = Self { issuer, folder: tempfile::tempdir().unwrap() };
        authority.write("ca.pem", &authority.issuer.pem());
        authority
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn signed(&self, name: &str) -> (CertificateDer<'static>, String, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.der().clone(), certificate.pem(), key)
    }

    fn identity(&self) -> Identity {
        let (_, certificate, key) = self.signed("davy");
        Identity {
            certificate: self.write("client.pem", &certificate),
            key: self.write("client.key", &key.serialize_pem()),
        }
    }

    /// A server for three connections; it says who knocked.
    fn serve(&self, asks_for_certificate: bool) -> String {
        let (certificate, _, key) = self.signed("localhost");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
        let config = config.unwrap();
        let config = if asks_for_certificate {
            let mut roots = RootCertStore::empty();
            roots.add(self.issuer.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            config.with_client_cert_verifier(verifier)
        } else {
            config.with_no_client_auth()
        };
        let config = Arc::new(config.with_single_cert(vec![certificate], key).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming().take(3) {
                let mut stream = stream.unwrap();
                let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut tls = Stream::new(&mut connection, &mut stream);
                let mut request = [0; 4096];
                if tls.read(&mut request).is_ok() {
                    let known = if tls.conn.peer_certificates().is_some() { "known" } else { "nobody" };
                    let length = known.len();
                    let _ =
                        write!(tls, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{known}");
                }
            }
        });
        format!("https://localhost:{port}")
    }
}

fn ask(url: &str, ca: Option<&Path>, identity: Option<Identity>) -> Result<Reply, ClientError> {
    let mut config = ClientConfig::new(url).unwrap();
    config.ca = ca.map(Path::to_owned);
    config.identity = identity;
    config.retry = Retry { attempts: 1, ..Retry::default() };
    Client::new(config)?.post_form("/", &[], Deadline::within(Duration::from_secs(5)))
}

#[test]
fn a_server_of_an_authority_that_was_given_is_trusted() {
    let authority = Authority::new();
    let url = authority.serve(false);
    assert_eq!(ask(&url, Some(&authority.ca()), None).unwrap().body, b"nobody");
}

#[test]
fn a_server_of_any_other_authority_is_not() {
    let (authority, other) = (Authority::new(), Authority::new());
    let url = authority.serve(false);
    for ca in [None, Some(other.ca())] {
        let error = ask(&url, ca.as_deref(), None).unwrap_err();
        assert!(matches!(error, ClientError::Tls { .. }), "{error}");
    }
    // The name counts too.
    let error = ask(&url.replace("localhost", "127.0.0.1"), Some(&authority.ca()), None).unwrap_err();
    assert!(matches!(error, ClientError::Tls { .. }), "{error}");
}

#[test]
fn a_client_says_who_it_is_where_it_is_asked() {
    let authority = Authority::new();
    let url = authority.serve(true);
    assert_eq!(ask(&url, Some(&authority.ca()), Some(authority.identity())).unwrap().body, b"known");
    let error = ask(&url, Some(&authority.ca()), None).unwrap_err();
    assert!(matches!(error.code(), "I005" | "I008"), "{error}");
}

#[test]
fn files_without_what_they_should_hold_are_named() {
    let authority = Authority::new();
    let (empty, missing) = (authority.write("empty.pem", "# nothing\n"), authority.folder.path().join("missing.pem"));
    let identity = authority.identity();
    let swapped = Identity { certificate: identity.key.clone(), key: identity.certificate.clone() };
    for (ca, identity, code) in [
        (empty.clone(), None, "I004"),
        (missing, None, "I002"),
        (authority.ca(), Some(Identity { key: empty, ..identity }), "I004"),
        (authority.ca(), Some(swapped), "I004"),
    ] {
        let error = ask("https://localhost:1", Some(&ca), identity).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    }
}
