//! davy's I/O, for hosts that would rather not do it themselves: from what an [`Engine`](davy::Engine) requires to
//! a [`Snapshot`](davy::Snapshot).
//!
//! ```no_run
//! use std::time::Duration;
//! use davy::{Asked, Bundle, Engine, Stage, State};
//! use davy_io::{Auth, ClientConfig, Credential, Deadline, Sources, prometheus::Prometheus};
//! # let policy = davy::starter("checkout");
//! # let json = br#"{ "now": "2026-11-23T10:04:00Z", "asked": "keep", "stage": "canary", "weight": "5%",
//! #   "since": "2026-11-23T10:00:00Z", "release": { "service": "checkout", "environment": "prod",
//! #   "revision": "r2", "stable": "r1", "startedAt": "2026-11-23T10:00:00Z" } }"#;
//!
//! let mut config = ClientConfig::new("https://prometheus.example:9090")?;
//! config.auth = Some(Auth::Bearer(Credential::File("/var/run/secrets/prometheus/token".into())));
//! let sources = Sources::one(Prometheus::new(config)?);            // connections are kept: make it once
//!
//! let engine = Engine::new(&Bundle::from_files([("rollouts.yaml", policy)])?);
//! let state = State::new();
//! let mut snapshot = davy::Snapshot::from_json(json)?;             // which release, what is asked, what time it is
//! let required = engine.requirements(&state, &snapshot.release, Asked::Keep, Stage::Canary, snapshot.now);
//! let observed = sources.observe(&required, Deadline::within(Duration::from_secs(20)));
//! for note in &observed.notes {
//!     eprintln!("{note}");                                         // why something is missing
//! }
//! (snapshot.intervals, snapshot.slos) = (observed.intervals, observed.slos);
//! println!("{}", engine.decide(&state, &snapshot).decision);       // holds where it is blind
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is counted, and what is lost
//!
//! Counts come from raw samples of counters and buckets, never from `rate`: the rise between two samples
//! belongs to the interval that holds the later one, so the intervals of any span add up to what the counters
//! rose by from its start to its end. Resets are handled for each series before anything is added.
//!
//! | situation | is |
//! |---|---|
//! | a scrape failed, or two came too far apart | missing, in the intervals that it touches: nobody knows which one the events belong to |
//! | a target is down, or gone without a word | missing, until the look-back (five minutes) has passed |
//! | a target was removed, and its `up` with it | counted as far as it was seen; requests after its last scrape are lost |
//! | a process is new | counted from its first sample; requests before its first scrape are lost |
//! | a series is new in a process that was scraped without it | counted from zero, or from its count of the day before if it was left out for a while |
//! | a counter fell | a restart from zero; one that is overtaken before the next scrape stays hidden |
//! | no series of bad events | zero where they are a part of the series of all events, or where another replica has one; else missing |
//! | NaN, an infinity, a negative or fractional count | missing under its own name, or no answer |
//! | no answer, a garbled or partial one, a warning, a clock that is wrong | no answer, and no interval at all where nothing else answered: it is asked for again |
//! | samples that arrive after their interval closed | lost: let the policy's `settle` be longer than scrapes and transport take |
//!
//! None of these is ever a healthy value. [`Observations::notes`] says what happened, with stable codes.
//!
//! Counters must come from processes, one series each. A sum of counters, as a recording rule makes it, falls
//! whenever a process ends, and every fall looks like a restart: the whole sum would count anew.
//!
//! # Rooms
//!
//! | for | see |
//! |---|---|
//! | requirements to observations | [`Sources::observe`], [`Observations`], [`Problem`] |
//! | typed queries of Prometheus | [`prometheus`] |
//! | intervals from files | [`file`](mod@file) |
//! | intervals from several origins | [`merge`] |
//! | synthetic flows run over HTTP | [`probe`] |
//! | HTTP with deadlines, retries and credentials | [`Client`] |

mod client;
pub mod file;
mod observe;
pub mod probe;
pub mod prometheus;
mod promql;

pub use client::{Auth, Client, ClientConfig, ClientError, Credential, Deadline, Identity, Reply, Retry, Secret};
pub use observe::{Note, Observations, Problem, Question, Sources, merge};
pub use promql::TextError;
