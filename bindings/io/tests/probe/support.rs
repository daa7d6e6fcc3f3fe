//! Flows put together and run.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use davy::ProbeFlows;
use davy::probe::{Attempt, FlowResult, Plan, TransportFault};
use davy_io::probe::{Lookup, LookupFault, Prober, ProberConfig, Stop, Target};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// A flow against this place, with these lines below `spec`.
pub(crate) fn plan(base: &str, spec: &str) -> Arc<Plan> {
    plan_with(base, "addressPolicy: any", spec)
}

/// The same with more about the target.
pub(crate) fn plan_with(base: &str, target: &str, spec: &str) -> Arc<Plan> {
    let text = format!(
        "apiVersion: davy/v1\nkind: ProbeFlow\nmetadata: {{ name: shop }}\nspec:\n  targets: {{ here: {{ baseUrl: \"{base}\", {target} }} }}\n{spec}"
    );
    let flows = ProbeFlows::from_files([("shop.yaml", &text)]).unwrap_or_else(|error| panic!("{error}\n{text}"));
    Arc::clone(flows.get("shop").unwrap())
}

/// A single step that asks for a path.
pub(crate) fn one(base: &str, path: &str, expect: &str) -> Arc<Plan> {
    plan(
        base,
        &format!("  steps: [{{ id: a, timeout: 2s, request: {{ path: \"{path}\" }}, expect: {{ {expect} }} }}]\n"),
    )
}

pub(crate) fn prober() -> Prober {
    Prober::new(ProberConfig::default()).unwrap()
}

pub(crate) fn here() -> Target {
    Target::new("here".parse().unwrap())
}

/// Runs, and checks whatever a test is about: what was recorded comes to the same result.
pub(crate) fn run(prober: &Prober, plan: &Arc<Plan>) -> FlowResult {
    let target = Target { record: true, ..here() };
    let ran = prober.run(plan, &target, &Stop::new()).unwrap();
    let recording = ran.recording.unwrap();
    let read = davy::probe::Recording::from_lines(&recording.to_line()).unwrap().remove(0);
    assert_eq!(read, recording, "a recording that is not read as it was written");
    assert!(recording.judgement.is_some());
    let replayed = read.replay(plan).unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(replayed.judgement(), ran.result.judgement(), "a replay that judges otherwise");
    ran.result
}

/// The only attempt of the only step.
pub(crate) fn only(result: &FlowResult) -> &Attempt {
    &result.steps[0].attempts[0]
}

pub(crate) fn fault(result: &FlowResult) -> TransportFault {
    let attempt = result.steps.iter().flat_map(|step| &step.attempts).next_back();
    attempt.and_then(|attempt| attempt.error.as_ref()).unwrap_or_else(|| panic!("no fault: {result:?}")).kind
}

/// Names and the addresses that they have, the first time and every later time.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) known: Vec<(&'static str, Vec<Vec<IpAddr>>)>,
    pub(crate) asked: std::sync::Mutex<Vec<String>>,
}

impl Names {
    pub(crate) fn new(known: &[(&'static str, &[&[&str]])]) -> Arc<Self> {
        let parse = |rounds: &&[&[&str]]| {
            rounds.iter().map(|all| all.iter().map(|one| one.parse().unwrap()).collect()).collect()
        };
        let known = known.iter().map(|(name, rounds)| (*name, parse(rounds))).collect();
        Arc::new(Self { known, asked: std::sync::Mutex::default() })
    }
}

impl Lookup for Names {
    fn look_up(&self, host: &str, _: Duration) -> Result<Vec<IpAddr>, LookupFault> {
        let mut asked = self.asked.lock().unwrap();
        let before = asked.iter().filter(|known| *known == host).count();
        asked.push(host.to_owned());
        let (_, rounds) = self.known.iter().find(|(name, _)| *name == host).ok_or(LookupFault::NoSuchHost)?;
        Ok(rounds[before.min(rounds.len() - 1)].clone())
    }
}

/// An authority of our own.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let authority = Self { issuer, folder: tempfile::tempdir().unwrap() };
        std::fs::write(authority.file(), authority.issuer.pem()).unwrap();
        authority
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A server's side for this name, valid for so many days from yesterday on.
    pub(crate) fn server(
        &self,
        name: &str,
        days: i64,
        only: Option<&'static rustls::SupportedProtocolVersion>,
    ) -> ServerConfig {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let now = std::time::SystemTime::now();
        params.not_before = (now - Duration::from_secs(24 * 3600)).into();
        params.not_after = if days < 0 {
            (now - Duration::from_secs(3600)).into()
        } else {
            (now + Duration::from_secs(days.unsigned_abs() * 24 * 3600 + 3600)).into()
        };
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = only.map_or_else(|| rustls::ALL_VERSIONS.to_vec(), |only| vec![only]);
        ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap()
    }

    pub(crate) fn prober(&self) -> Prober {
        Prober::new(ProberConfig { authorities: vec![self.file()], ..ProberConfig::default() }).unwrap()
    }
}
