//! Synthetic flows: compiled into a [`Plan`], run by a machine without I/O, judged, recorded and replayed.

mod address;
mod capture;
mod compile;
mod cookies;
mod custom;
mod drift;
mod evaluate;
mod exchange;
mod feed;
mod flows;
mod glance;
mod har;
mod header;
mod language;
mod message;
mod metrics;
mod mutate;
mod plan;
mod quorum;
mod random;
mod recording;
mod redact;
mod replay;
mod report;
mod request;
mod result;
mod retry;
mod run;
mod session;
mod template;
mod turn;
mod url;
mod verdict;
mod windows;

pub use address::AddressKind;
pub use drift::{Difference, Field, Shape, Shapes};
pub use evaluate::{CheckOutcome, Checked};
pub use feed::{Fed, answers, feed};
pub use flows::ProbeFlows;
pub use glance::{Glance, glance};
pub use har::{HarEntry, HarError, read_har, run_on_har};
pub use language::{ANSWER, AnswerFacts, Expectation, ExpectationKey, ExpectationLanguage, answer_schema};
pub use message::{
    Bytes, Certificate, Effect, EffectId, Event, Header, HttpRequest, HttpResponse, Micros, Peer, PeerTls, SecretValue,
    Timings, TransportError, TransportFault,
};
pub use metrics::{ProbeMetrics, SloCounts, slo_counts};
pub use mutate::{Mutation, Survivor, check_recordings, survivors};
pub use plan::{DriftPlan, Plan, QuorumPlan, SchedulePlan};
pub use quorum::{Consensus, agreed, consensus};
pub use recording::{Input, Recording};
pub use replay::ReplayFault;
pub use report::{json_lines, junit, text};
pub use result::{Attempt, FlowPart, FlowResult, SloEvent, StepResult};
pub use run::{CancelReason, Inputs, Next, ProbeError, ProbeRun, ProtocolError};
pub use session::Sessions;
pub use turn::{StepTurn, Turn, TurnCheck, TurnEvent};
pub use url::{Host, Url, UrlError};
pub use windows::RunWindows;

pub(crate) use compile::{KINDS, ProbeDocuments};
pub(crate) use language::Languages;
