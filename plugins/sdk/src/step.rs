//! Probe steps: what happens, what they answer, and the macro that makes one.

/// Where a step stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Situation {
    /// The target that the flow runs against, without a `/` at its end.
    pub base_url: String,
    /// The time of this turn, in milliseconds since 1970-01-01T00:00:00Z.
    pub now: u64,
    /// A number that the runner drew for this turn.
    pub random: u64,
    /// How many requests the step has sent.
    pub requests: u32,
}

/// What has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The step begins.
    Begin,
    /// The last request was answered.
    Answered(Response),
    /// The last request got no answer: the kind of fault, such as `timeout`.
    Failed(String),
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Names in lower case, in the order of the answer.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Whether the body was longer than is read.
    pub truncated: bool,
    /// How long the exchange took, in microseconds.
    pub duration: u64,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// The method in upper case.
    pub method: String,
    /// Absolute, or a path under the base URL.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What happens next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Send a request and take the next turn with this state.
    Send {
        /// For the next turn.
        state: Vec<u8>,
        /// What to send.
        request: Request,
    },
    /// The step is over.
    Done(Conclusion),
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conclusion {
    /// What was expected; at least one.
    pub checks: Vec<Check>,
    /// Values for later steps.
    pub captures: Vec<Capture>,
}

/// One thing that was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at.
    pub what: String,
    /// Whether it was so.
    pub verdict: Verdict,
    /// What it should be.
    pub expected: String,
    /// What it was.
    pub actual: String,
}

/// Whether an expectation held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It held.
    Pass,
    /// It held, but not as well as wanted.
    Degraded,
    /// It did not.
    Fail,
}

/// A value for later steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl Situation {
    /// The URL of a path under the target's.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}/{}", self.base_url, path.strip_prefix('/').unwrap_or(path))
    }
}

impl Request {
    /// A `GET` of this URL or path.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self { method: "GET".to_owned(), url: url.into(), ..Self::default() }
    }

    /// A `POST` of a JSON text.
    #[must_use]
    pub fn post_json(url: impl Into<String>, body: impl Into<String>) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self { method: "POST".to_owned(), url: url.into(), headers, body: body.into().into_bytes() }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

impl Response {
    /// The first header of this name, which is given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text; what is no UTF-8 becomes U+FFFD.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Check {
    /// An expectation that held or did not.
    #[must_use]
    pub fn that(held: bool, what: impl Into<String>, expected: impl Into<String>, actual: impl Into<String>) -> Self {
        let verdict = if held { Verdict::Pass } else { Verdict::Fail };
        Self { what: what.into(), verdict, expected: expected.into(), actual: actual.into() }
    }
}

/// Makes a probe step of a function from the situation, the state and the event to the next action.
///
/// It defines `describe()` and `turn(parameters, &situation, &state, &event)` for native tests, and on `wasm32`
/// exports the world `probe-step`. One per crate.
///
/// ```
/// use davy_plugin::{Action, Check, Conclusion, Event, Request, Situation, parameters, step};
///
/// parameters! {
///     /// Where to look.
///     pub struct Look {
///         /// The path.
///         path: String,
///     }
/// }
///
/// step! {
///     name: "look", summary: "Expects a status of 200", captures: [],
///     fn turn(look: &Look, _at: &Situation, _state: &[u8], event: &Event) -> Result<Action, String> {
///         Ok(match event {
///             Event::Begin => Action::Send { state: Vec::new(), request: Request::get(&look.path) },
///             Event::Answered(answer) => {
///                 let check = Check::that(answer.status == 200, "status", "200", answer.status.to_string());
///                 Action::Done(Conclusion { checks: vec![check], captures: Vec::new() })
///             }
///             Event::Failed(kind) => {
///                 let check = Check::that(false, "answer", "an answer", kind.as_str());
///                 Action::Done(Conclusion { checks: vec![check], captures: Vec::new() })
///             }
///         })
///     }
/// }
/// # fn main() {
/// let first = turn(r#"{ "path": "/" }"#, &Situation::default(), &[], &Event::Begin);
/// assert!(matches!(first, Ok(Action::Send { .. })));
/// # }
/// ```
#[macro_export]
macro_rules! step {
    (
        name: $name:literal, summary: $summary:literal, captures: [$($capture:literal),* $(,)?],
        fn turn($parameters:ident : &$Parameters:ty, $at:ident : &$Situation:ty, $state:ident : &[u8], $event:ident : &$Event:ty) -> Result<$Action:ty, String> $body:block
    ) => {
        /// What the step says of itself.
        #[must_use]
        pub fn describe() -> $crate::StepDescription {
            $crate::StepDescription {
                name: $name,
                version: env!("CARGO_PKG_VERSION"),
                summary: $summary,
                parameters: <$Parameters as $crate::Parameters>::schema(),
                captures: vec![$($capture),*],
            }
        }

        /// Takes one turn, with the parameters as JSON.
        ///
        /// # Errors
        /// Why the step cannot be run, in one sentence.
        pub fn turn(
            parameters: &str,
            situation: &$crate::Situation,
            state: &[u8],
            event: &$crate::Event,
        ) -> Result<$crate::Action, String> {
            fn typed($parameters: &$Parameters, $at: &$Situation, $state: &[u8], $event: &$Event) -> Result<$Action, String> $body
            typed(&<$Parameters as $crate::Parameters>::read(parameters)?, situation, state, event)
        }

        #[cfg(target_arch = "wasm32")]
        $crate::export_step!(describe, turn);
    };
}
