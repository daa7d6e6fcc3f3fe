//! Runs the binary, and makes what it reads.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// One metric, one limit, intervals from the first second on.
pub(crate) const POLICY: &str = "\
apiVersion: davy/v1
kind: Rollout
metadata: { name: checkout }
spec:
  holdLimit: { after: 2h, then: fail }
  health:
    judge: threshold
    every: 30s
    settle: 0s
    warmUp: 0s
    metrics:
      - { name: errors, bad: http_errors_total, total: http_requests_total, max: 1% }
";

/// What a call left behind.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A directory with [`POLICY`] in `rollouts.yaml`, to call the binary in.
pub(crate) struct Place {
    directory: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self { directory: tempfile::tempdir().unwrap() };
        place.write("rollouts.yaml", POLICY);
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.directory.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = davy(args);
        command.current_dir(self.directory.path());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        ran(&self.command(args).output().unwrap())
    }

    /// Another program, called in this directory.
    pub(crate) fn tool(&self, program: &str, args: &[&str]) -> Ran {
        ran(&Command::new(program).args(args).current_dir(self.directory.path()).output().unwrap())
    }

    /// `davy decide` under `rollouts.yaml`, with the snapshot on standard input.
    pub(crate) fn decide(&self, snapshot: &str, args: &[&str]) -> Ran {
        let args = [&["decide", "--policy", "rollouts.yaml", "--snapshot", "-"], args].concat();
        feed(&mut self.command(&args), snapshot)
    }
}

pub(crate) fn davy(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_davy"));
    command.args(args).stdin(Stdio::null()).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    // Compiled plugins are kept by the tests, not by whoever runs them.
    command.env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
    command
}

pub(crate) fn ran(output: &Output) -> Ran {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr) }
}

/// Runs with `input` on standard input.
pub(crate) fn feed(command: &mut Command, input: &str) -> Ran {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Where the policy is broken, the snapshot is not read.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    ran(&child.wait_with_output().unwrap())
}

/// A snapshot right after the last of these intervals, each with so many bad events of 1000.
pub(crate) fn snapshot(stage: &str, asked: &str, bad: &[u32]) -> String {
    later_snapshot(stage, asked, bad, bad.len())
}

/// The same, taken when `closed` intervals have closed.
pub(crate) fn later_snapshot(stage: &str, asked: &str, bad: &[u32], closed: usize) -> String {
    let at = |index: usize| format!("2026-11-23T10:{:02}:{:02}Z", index / 2, index % 2 * 30);
    let interval = |(index, bad): (usize, &u32)| {
        format!(
            r#"{{"start": "{}", "end": "{}", "observations": [{{"metric": "errors", "cohort": "canary", "bad": {bad}, "total": 1000}}]}}"#,
            at(index),
            at(index + 1)
        )
    };
    let intervals: Vec<String> = bad.iter().enumerate().map(interval).collect();
    format!(
        r#"{{"now": "{}", "asked": "{asked}", "stage": "{stage}", "weight": "50%", "since": "{}",
"release": {{"service": "checkout", "environment": "prod", "revision": "r2", "stable": "r1", "startedAt": "{}"}},
"intervals": [
{}
]}}"#,
        at(closed),
        at(0),
        at(0),
        intervals.join(",\n")
    )
}

/// Two healthy intervals: proceed.
pub(crate) fn healthy() -> String {
    snapshot("canary", "promote", &[1, 2])
}

/// A bad interval: abort.
pub(crate) fn regressed() -> String {
    snapshot("canary", "promote", &[1, 200])
}

/// The repository's `policies/checkout`.
pub(crate) fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/checkout")
}
