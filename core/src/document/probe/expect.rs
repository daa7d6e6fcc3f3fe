//! What is expected of an answer. Each expectation is evaluated by itself.

use super::flow::TlsVersion;
use super::matcher::Match;
use super::value::{HttpVersion, Keyed, OneOrMany, StatusRange, Tree};
use crate::document::declare::record;
use crate::{Count, Digest, Duration};

record! {
    /// What is expected of an answer.
    pub struct Expectations {
        /// Statuses such as `200`, `2xx` or `[200, 204]`.
        status: OneOrMany<StatusRange> = "status", optional;
        /// Headers, by name.
        header: Keyed<Match> = "header", optional;
        /// Cookies that the answer sets, by name.
        cookie: Keyed<Match> = "cookie", optional;
        /// Values in a JSON answer, by RFC 9535 JSONPath. A path that can find several needs `all`, `any`, `none`, `count` or `exists`.
        jsonpath: Keyed<Match> = "jsonpath", optional;
        /// The body as text.
        body: BodyExpectation = "body", optional;
        /// The time of the attempt, redirects included.
        duration: TimeLimit = "duration", optional;
        /// The time of its parts. A part that did not take place, such as connecting where a connection was there, is not judged.
        phase: Phases = "phase", optional;
        /// The certificate and the encryption.
        tls: TlsExpectation = "tls", optional;
        /// The version of HTTP.
        http_version: HttpVersion = "httpVersion", optional;
        /// How many redirects were followed.
        redirects: Match = "redirects", optional;
        /// A JSON Schema (draft 2020-12, no references to other documents) that a JSON answer must satisfy. Its text stands as it is: `${` means nothing in it.
        schema: Tree = "schema", optional;
        /// A CEL expression that must be true, over `status`, `headers`, `body`, `json`, `durationMs` and `redirects`; `davy policy schema answer` describes them. What it reads must be there, or it asks with `has(…)`.
        cel: String = "cel", optional;
    }
}

record! {
    /// The body as text.
    pub struct BodyExpectation {
        /// Exactly this.
        equals: String = "equals", optional;
        /// This is in it.
        contains: String = "contains", optional;
        /// This regular expression matches somewhere in it.
        regex: String = "regex", optional;
        /// Its SHA-256.
        digest: Digest = "digest", optional;
        /// The fewest bytes.
        min_bytes: Count = "minBytes", optional;
        /// The most bytes.
        max_bytes: Count = "maxBytes", optional;
    }
}

record! {
    /// How long something may take. Short form: `lte` alone.
    pub struct TimeLimit short "lte" {
        /// Longer fails.
        lte: Duration = "lte", optional;
        /// Longer is degraded.
        degraded_above: Duration = "degradedAbove", optional;
    }
}

record! {
    /// How long the parts of an attempt may take.
    pub struct Phases {
        /// Looking up the host.
        dns: TimeLimit = "dns", optional;
        /// Connecting.
        connect: TimeLimit = "connect", optional;
        /// Agreeing on encryption.
        tls: TimeLimit = "tls", optional;
        /// Sending.
        send: TimeLimit = "send", optional;
        /// Waiting for the first byte.
        wait: TimeLimit = "wait", optional;
        /// Receiving.
        receive: TimeLimit = "receive", optional;
    }
}

record! {
    /// The certificate and the encryption.
    pub struct TlsExpectation {
        /// The fewest days until the first certificate of the chain expires.
        days_to_expiry: Count = "daysToExpiry", optional;
        /// Fewer days are degraded.
        degraded_below_days: Count = "degradedBelowDays", optional;
        /// The oldest version.
        min_version: TlsVersion = "minVersion", optional;
    }
}
