//! TLS as flows ask for it, and what the other side showed.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use davy::document::probe::{TlsVerify, TlsVersion};
use davy::probe::{Certificate, PeerTls};
use davy::{Digest, Instant};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, ProtocolVersion, RootCertStore, SignatureScheme, version,
};
use x509_cert::der::Decode as _;

use super::ProberError;

/// The ways to encrypt, each set up when it is first needed.
#[derive(Debug)]
pub(super) struct Encryption {
    provider: Arc<CryptoProvider>,
    roots: Arc<RootCertStore>,
    ways: [OnceLock<Arc<ClientConfig>>; 4],
}

impl Encryption {
    /// Trusts the authorities of the web, and those of the files.
    pub(super) fn new(authorities: &[PathBuf]) -> Result<Self, ProberError> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for path in authorities {
            let bytes =
                std::fs::read(path).map_err(|cause| ProberError::Read { path: path.clone(), cause: cause.kind() })?;
            let certificates: Vec<CertificateDer<'static>> =
                CertificateDer::pem_slice_iter(&bytes).collect::<Result<_, _>>().unwrap_or_default();
            let (trusted, _) = roots.add_parsable_certificates(certificates);
            if trusted == 0 {
                return Err(ProberError::Authority { path: path.clone() });
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        Ok(Self { provider, roots: Arc::new(roots), ways: Default::default() })
    }

    /// The way that a request asks for.
    pub(super) fn way(&self, oldest: TlsVersion, verify: TlsVerify) -> Result<Arc<ClientConfig>, rustls::Error> {
        let index = usize::from(oldest == TlsVersion::V1_3) * 2 + usize::from(verify == TlsVerify::Off);
        if let Some(way) = self.ways.get(index).and_then(OnceLock::get) {
            return Ok(Arc::clone(way));
        }
        let versions: &[_] = match oldest {
            TlsVersion::V1_2 => &[&version::TLS13, &version::TLS12],
            TlsVersion::V1_3 => &[&version::TLS13],
        };
        let builder =
            ClientConfig::builder_with_provider(Arc::clone(&self.provider)).with_protocol_versions(versions)?;
        let mut way = match verify {
            TlsVerify::Full => builder.with_root_certificates(Arc::clone(&self.roots)).with_no_client_auth(),
            TlsVerify::Off => {
                let anyone = Arc::new(Anyone(self.provider.signature_verification_algorithms));
                builder.dangerous().with_custom_certificate_verifier(anyone).with_no_client_auth()
            }
        };
        way.alpn_protocols = vec![b"http/1.1".to_vec()];
        // A session taken up again would show neither how long a handshake takes nor a certificate that is new.
        way.resumption = Resumption::disabled();
        let way = Arc::new(way);
        Ok(self
            .ways
            .get(index)
            .map_or_else(|| Arc::clone(&way), |place| Arc::clone(place.get_or_init(|| Arc::clone(&way)))))
    }
}

/// What the other side of a finished handshake showed.
pub(super) fn facts(session: &ClientConnection) -> PeerTls {
    let version = match session.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => TlsVersion::V1_3,
        _ => TlsVersion::V1_2,
    };
    PeerTls {
        version,
        cipher: session.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite())),
        alpn: session.alpn_protocol().map(|protocol| String::from_utf8_lossy(protocol).into_owned()),
        chain: session.peer_certificates().unwrap_or_default().iter().filter_map(certificate).collect(),
    }
}

/// A certificate; nothing for one that cannot be read, which only a flow that checks none gets to see.
fn certificate(der: &CertificateDer<'_>) -> Option<Certificate> {
    let read = x509_cert::Certificate::from_der(der).ok()?;
    let read = read.tbs_certificate();
    let instant = |time: x509_cert::time::Time| {
        Instant::from_millis(i64::try_from(time.to_unix_duration().as_millis()).unwrap_or(i64::MAX))
    };
    Some(Certificate {
        subject: read.subject().to_string(),
        issuer: read.issuer().to_string(),
        not_before: instant(read.validity().not_before),
        not_after: instant(read.validity().not_after),
        digest: Digest::of(der),
    })
}

/// Whoever shows any certificate and has its key: for flows that say `verify: off`, which lint allows in staging only.
#[derive(Debug)]
struct Anyone(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
