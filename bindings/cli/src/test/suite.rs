//! Files of tests, the policies that they are about, and what became of them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use davy::document::DiagnosticCode;
use davy::plugin::Plugins;
use davy::testing::{Coverage, PolicyTests, TestRun, is_test_file};
use davy::{Diagnostic, Engine, Position, Severity};
use davy_rules::{RegoTestOutcome, RegoTests};

use super::ran::{Became, Ran};
use crate::error::Error;
use crate::load::{self, Documents, is_rego_test};
use crate::plugins::PluginArgs;

/// One file of tests.
pub(super) struct Suite {
    pub(super) path: PathBuf,
    pub(super) text: Vec<u8>,
    /// The policy that it is about, if the file could be read.
    pub(super) policy: PathBuf,
    /// Tests in Rego may be about rules alone, of which nothing is counted.
    pub(super) has_policy: bool,
    pub(super) tests: Option<PolicyTests>,
    pub(super) runs: Vec<Ran>,
    /// What keeps the whole file from being run: of the file itself, or of the policy.
    pub(super) broken: Vec<Diagnostic>,
    pub(super) took: Duration,
}

/// A policy, and what of it was reached.
pub(super) struct Policy {
    pub(super) documents: Documents,
    broken: Vec<Diagnostic>,
    engine: Option<Engine>,
    plugins: Plugins,
    pub(super) coverage: Coverage,
}

/// Everything that was run.
pub(super) struct Tested {
    pub(super) suites: Vec<Suite>,
    /// In the order of the files of tests that name them.
    pub(super) policies: Vec<Policy>,
}

impl Tested {
    /// Finds and runs tests.
    pub(super) fn run(paths: &[PathBuf], plugins: &PluginArgs) -> Result<Self, Error> {
        let mut tested = Self { suites: Vec::new(), policies: Vec::new() };
        // However it is spelled, a policy is one.
        let mut known: BTreeMap<PathBuf, usize> = BTreeMap::new();
        for path in files(paths)? {
            let suite = Suite::run(path, plugins, &mut tested.policies, &mut known)?;
            tested.suites.push(suite);
        }
        tested.policies.retain(|policy| policy.engine.is_some());
        Ok(tested)
    }

    /// How many tests passed, how many did not, and how many were not run. A file that could not be run counts as one
    /// that did not pass.
    pub(super) fn counts(&self) -> Counts {
        let of = |became: &[Became]| {
            let runs = self.suites.iter().flat_map(|suite| &suite.runs);
            runs.filter(|run| became.contains(&run.result())).count()
        };
        let broken = self.suites.iter().filter(|suite| !suite.broken.is_empty()).count();
        Counts {
            passed: of(&[Became::Passed]),
            failed: of(&[Became::Failed, Became::Broken]) + broken,
            skipped: of(&[Became::Skipped]),
        }
    }
}

/// How many tests there were.
pub(super) struct Counts {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) skipped: usize,
}

impl Suite {
    fn run(
        path: PathBuf,
        plugins: &PluginArgs,
        policies: &mut Vec<Policy>,
        known: &mut BTreeMap<PathBuf, usize>,
    ) -> Result<Self, Error> {
        let text = load::bytes(&path)?;
        let shown = path.display().to_string();
        let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        let is_rego = path.file_name().and_then(OsStr::to_str).is_some_and(is_rego_test);
        let mut suite = Self {
            policy: folder.to_owned(),
            has_policy: true,
            tests: None,
            runs: Vec::new(),
            broken: Vec::new(),
            took: Duration::ZERO,
            text,
            path: path.clone(),
        };
        if is_rego {
            suite.run_rego(folder, plugins, policies, known)?;
            return Ok(suite);
        }
        let tests = match PolicyTests::from_yaml(&shown, &suite.text) {
            Ok(tests) => tests,
            Err(error) => {
                suite.broken = error.diagnostics().to_vec();
                return Ok(suite);
            }
        };
        if tests.policy() != "." {
            suite.policy = folder.join(tests.policy());
        }
        let policy = Policy::known(&suite.policy, plugins, policies, known)?;
        let Some(policy) = policy else { return Ok(suite) };
        suite.broken.clone_from(&policy.broken);
        if let Some(engine) = &policy.engine {
            let read = |name: &str| Some((name.to_owned(), load::bytes(&folder.join(name)).ok()?));
            let files: BTreeMap<String, Vec<u8>> = tests.files().into_iter().filter_map(read).collect();
            let began = Instant::now();
            let mut runs = tests.run_with(engine, &policy.plugins, &files, &mut policy.coverage);
            suite.took = began.elapsed();
            for diagnostic in runs.iter_mut().flat_map(|run| &mut run.broken) {
                // The tests know their snapshots by names that are seen from their own folder.
                if *diagnostic.position.file != shown {
                    diagnostic.position.file = folder.join(&*diagnostic.position.file).display().to_string().into();
                }
            }
            suite.runs = runs.into_iter().map(Ran::Decisions).collect();
        }
        suite.tests = Some(tests);
        Ok(suite)
    }

    /// Tests in Rego see all rules in Rego of their folder; where that is a policy, what they reach of it is counted.
    fn run_rego(
        &mut self,
        folder: &Path,
        plugins: &PluginArgs,
        policies: &mut Vec<Policy>,
        known: &mut BTreeMap<PathBuf, usize>,
    ) -> Result<(), Error> {
        let files = load::rego_in(folder)?;
        self.has_policy = files.has_policy;
        let mut policy = if files.has_policy { Policy::known(folder, plugins, policies, known)? } else { None };
        if let Some(policy) = &policy
            && !policy.broken.is_empty()
        {
            self.broken.clone_from(&policy.broken);
            return Ok(());
        }
        let text = String::from_utf8_lossy(&self.text).into_owned();
        let own = [(self.path.display().to_string(), text)];
        let began = Instant::now();
        match RegoTests::from_files(files.rules, own) {
            Ok(tests) => {
                let runs = tests.run();
                if runs.is_empty() {
                    self.broken = vec![self.without_tests()];
                }
                for mut run in runs {
                    if let Some(policy) = &mut policy {
                        run.reached.iter().for_each(|place| policy.coverage.see_part(place));
                    }
                    if let RegoTestOutcome::Broken { at, .. } = &mut run.outcome
                        && at.file != run.position.file
                    {
                        at.file = folder.join(&*at.file).display().to_string().into();
                    }
                    self.runs.push(Ran::Rego(run));
                }
            }
            Err(broken) => {
                self.broken = broken;
                let own = self.path.display().to_string();
                for diagnostic in self.broken.iter_mut().filter(|one| *one.position.file != own) {
                    diagnostic.position.file = folder.join(&*diagnostic.position.file).display().to_string().into();
                }
            }
        }
        self.took = began.elapsed();
        Ok(())
    }

    /// A test whose name is misspelt is none, and would pass.
    fn without_tests(&self) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            code: DiagnosticCode::Choice,
            position: Position { file: self.path.display().to_string().into(), line: 1, column: 1 },
            message: "there is no test".to_owned(),
            hint: Some("begin the name of a rule with `test_`, or remove the file".to_owned()),
        }
    }

    /// Whether every test passed.
    pub(super) fn passed(&self) -> bool {
        self.broken.is_empty() && self.runs.iter().all(|run| matches!(run.result(), Became::Passed | Became::Skipped))
    }

    /// The line of the file of tests that a diagnostic points at.
    pub(super) fn line(&self, diagnostic: &Diagnostic) -> Option<&str> {
        self.line_at(&diagnostic.position)
    }

    /// The line of the file of tests at a position, if it is in it.
    pub(super) fn line_at(&self, position: &Position) -> Option<&str> {
        let here = *position.file == *self.path.display().to_string();
        load::line(&self.text, position.line).filter(|_| here)
    }

    /// The file with what is decided today; nothing where that is what it says.
    pub(super) fn updated(&self) -> Result<Option<String>, Error> {
        let Some(tests) = self.tests.as_ref().filter(|_| !self.passed()) else { return Ok(None) };
        // What could be parsed is UTF-8.
        let text = String::from_utf8_lossy(&self.text);
        let runs = self.runs.iter().filter_map(|run| match run {
            Ran::Decisions(run) => Some(run.clone()),
            Ran::Rego(_) => None,
        });
        let runs: Vec<TestRun> = runs.collect();
        let updated = tests.updated(&text, &runs)?;
        Ok((*updated != *text).then_some(updated))
    }
}

impl Policy {
    /// The policy of a path, which is read once however it is spelled.
    fn known<'a>(
        path: &Path,
        plugins: &PluginArgs,
        policies: &'a mut Vec<Policy>,
        known: &mut BTreeMap<PathBuf, usize>,
    ) -> Result<Option<&'a mut Policy>, Error> {
        let key = fs::canonicalize(path).map_err(Error::read(path))?;
        let number = match known.get(&key) {
            Some(number) => *number,
            None => {
                policies.push(Policy::read(path, plugins)?);
                known.insert(key, policies.len() - 1);
                policies.len() - 1
            }
        };
        Ok(policies.get_mut(number))
    }

    fn read(path: &Path, plugins: &PluginArgs) -> Result<Self, Error> {
        let documents = Documents::read(path)?;
        let built = documents.bundle().and_then(|bundle| Ok((documents.engine(&bundle)?, bundle)));
        Ok(match built {
            Ok((engine, bundle)) => {
                let plugins = plugins.of([(&documents, &bundle)].into_iter());
                let coverage = Coverage::of(&bundle, &engine);
                Self { documents, broken: Vec::new(), engine: Some(engine), plugins, coverage }
            }
            Err(mut broken) => {
                broken.retain(|diagnostic| diagnostic.severity == Severity::Error);
                Self { documents, broken, engine: None, plugins: Plugins::new(), coverage: Coverage::default() }
            }
        })
    }
}

/// The files of tests, each once, in the order of their paths.
pub(super) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    for path in paths {
        let before = found.len();
        if fs::metadata(path).map_err(Error::read(path))?.is_dir() {
            search(path, &mut found)?;
        } else {
            found.push(path.clone());
        }
        if found.len() == before {
            return Err(Error::NoTests { path: path.clone() });
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn search(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(Error::read(folder))? {
        let entry = entry.map_err(Error::read(folder))?;
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        // A link to a directory could lead around in circles.
        let kind = entry.file_type().map_err(Error::read(folder))?;
        if kind.is_dir() {
            search(&entry.path(), found)?;
        } else if name.to_str().is_some_and(|name| is_test_file(name) || is_rego_test(name)) {
            found.push(entry.path());
        }
    }
    Ok(())
}
