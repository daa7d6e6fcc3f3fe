//! A relay in front of a real server, which can fail in many ways from one moment to the next.

use std::io::Read as _;
use std::sync::{Arc, Mutex};

use super::server::{Play, Request, Server};

/// How the relay answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// As the server behind it does.
    Well,
    Stalls,
    StallsInTheMiddle,
    Garbage,
    Html,
    /// The first half of what the server says, as if it were all.
    Half,
    /// The same, but honest about the length that was to come.
    CutOff,
    Overloaded,
    Warns,
    Dead,
}

impl Mood {
    pub(crate) const BAD: [Self; 9] = [
        Self::Stalls,
        Self::StallsInTheMiddle,
        Self::Garbage,
        Self::Html,
        Self::Half,
        Self::CutOff,
        Self::Overloaded,
        Self::Warns,
        Self::Dead,
    ];
}

pub(crate) struct Relay {
    pub(crate) server: Server,
    mood: Arc<Mutex<Mood>>,
}

impl Relay {
    pub(crate) fn to(url: String) -> Self {
        let mood = Arc::new(Mutex::new(Mood::Well));
        let current = Arc::clone(&mood);
        let server = Server::start(move |request| {
            let mood = *current.lock().unwrap();
            play(mood, &url, request)
        });
        Self { server, mood }
    }

    pub(crate) fn turn(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }
}

fn play(mood: Mood, url: &str, request: &Request) -> Play {
    match mood {
        Mood::Well => Play::json(behind(url, request)),
        Mood::Stalls => Play::Stall,
        Mood::StallsInTheMiddle => Play::StallInBody,
        Mood::Garbage => Play::Raw(b"\x15\x03\x01\x00\x02\x02\x50".to_vec()),
        Mood::Html => Play::status(200, "<html>please log in</html>").with("Content-Type", "text/html"),
        Mood::Half => {
            let mut body = behind(url, request);
            body.truncate(body.len() / 2);
            Play::json(body)
        }
        Mood::CutOff => {
            let mut body = behind(url, request);
            body.truncate(body.len() / 2);
            Play::Half { body }
        }
        Mood::Overloaded => Play::status(503, "").with("Retry-After", "1000"),
        Mood::Warns => {
            let body = String::from_utf8(behind(url, request)).unwrap();
            Play::json(body.replacen('{', r#"{"warnings":["one store did not answer"],"#, 1))
        }
        Mood::Dead => Play::Hangup,
    }
}

fn behind(url: &str, request: &Request) -> Vec<u8> {
    let form: Vec<(&str, &str)> = request.form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut answer = ureq::post(format!("{url}{}", request.path)).send_form(form).unwrap();
    let mut body = Vec::new();
    answer.body_mut().as_reader().read_to_end(&mut body).unwrap();
    body
}
