//! `expect`: the traffic that a plan reckons with.

use serde_json::{Value as Json, json};

use super::declare::record;
use super::decode::{Refusal, Scalar};
use super::yaml;
use crate::{Count, Duration, Rate, Share};

record! {
    /// What the baseline's traffic is expected to be. `davy policy plan` and lint reckon with it; no decision does.
    pub struct Expected {
        /// Requests of the whole service, such as `50/s`. For a probe: its runs against each cohort. For events: how many a whole cohort has.
        requests: Rate = "requests", optional;
        /// The share of bad events.
        bad: Share = "bad", optional;
        /// The latency that half of the requests exceed.
        p50: Duration = "p50", optional;
        /// The latency that a tenth of the requests exceed.
        p90: Duration = "p90", optional;
        /// The latency that a hundredth of the requests exceed. Of what is not said, the plan assumes four times `p50`.
        p99: Duration = "p99", optional;
        /// The resolution of native histograms, from 0 to 8: 2 to this power buckets per doubling.
        schema: Count = "schema", default(Count::from(3));
        /// Replicas of the baseline whose counts are told apart: what they show of noise, an abort is held against. Without it none are.
        replicas: Count = "replicas", optional;
    }
}

impl Scalar for Rate {
    const EXPECTED: &'static str = "a rate such as `50/s`, `300/m` or `2/h`";
    fn read(scalar: &yaml::Scalar) -> Result<Self, Refusal> {
        scalar.text.parse().map_err(|_| Refusal::Unreadable)
    }
    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^(0|[1-9][0-9]{0,6})(\\.[0-9]{1,3})?/[smh]$" })
    }
}
