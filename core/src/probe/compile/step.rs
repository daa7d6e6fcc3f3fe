//! Steps compiled into ops: requests, shared actions written out where they are used, loops and conditions.

use std::collections::BTreeMap;

use super::expectation::{self, Context};
use super::scope::{Scope, SlotTable};
use super::{Library, import, lint};
use crate::document::Position;
use crate::document::decode::{Named, Report, Spanned};
use crate::document::diagnostic::{DiagnosticCode as Code, did_you_mean, shown};
use crate::document::probe::{
    Action, Auth, Backoff, Defaults, Foreach, HttpMethod, Import, Jitter, Keyed, ProbeStep, Redirects, Request, Retry,
    Template,
};
use crate::policy::PluginFiles;
use crate::probe::header;
use crate::probe::language::Languages;
use crate::probe::plan::{AuthPlan, BodyPlan, GroupPlan, Items, Op, Place, PollPlan, RequestPlan, RetryPlan, StepPlan};
use crate::probe::template::{Piece, Text};
use crate::probe::url::Url;
use crate::{Count, Duration};

/// The most steps of a flow, shared actions written out.
const MOST_STEPS: usize = 1000;
/// The most attempts of a step.
const MOST_ATTEMPTS: u64 = 10;

/// What is known of a target while steps are compiled.
#[derive(Debug)]
pub(super) struct TargetFacts {
    pub(super) name: String,
    pub(super) hosts: Vec<String>,
    pub(super) vars: BTreeMap<usize, String>,
}

/// Which part of the flow is being compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Setup,
    Steps,
    Teardown,
}

pub(super) struct Builder<'a> {
    pub(super) libraries: &'a [Library],
    pub(super) languages: Languages<'a>,
    pub(super) plugins: &'a PluginFiles,
    pub(super) report: &'a mut Report,
    pub(super) table: SlotTable,
    pub(super) targets: Vec<TargetFacts>,
    pub(super) ops: Vec<Op>,
    pub(super) steps: Vec<StepPlan>,
    pub(super) groups: Vec<GroupPlan>,
    pub(super) section: Section,
    /// Slots of captures, for those that nothing uses.
    pub(super) captured: Vec<(usize, Position)>,
    /// Where something is changed that a teardown should clean up.
    pub(super) changes: Option<Position>,
    /// The longest that everything so far can take, in milliseconds, and how often what comes now runs.
    pub(super) worst: u64,
    pub(super) times: u64,
    /// Libraries whose actions are being written out.
    pub(super) stack: Vec<String>,
    pub(super) files: BTreeMap<String, crate::Digest>,
}

/// Where a step stands: its names, what it may import, its defaults, and the prefix of its id.
pub(super) struct Surroundings<'a> {
    pub(super) imports: Option<&'a Named<Import>>,
    pub(super) defaults: &'a Defaults,
    pub(super) prefix: String,
}

impl<'a> Builder<'a> {
    pub(super) fn new(
        libraries: &'a [Library],
        languages: Languages<'a>,
        plugins: &'a PluginFiles,
        report: &'a mut Report,
    ) -> Self {
        Self {
            libraries,
            languages,
            plugins,
            report,
            table: SlotTable::default(),
            targets: Vec::new(),
            ops: Vec::new(),
            steps: Vec::new(),
            groups: Vec::new(),
            section: Section::Setup,
            captured: Vec::new(),
            changes: None,
            worst: 0,
            times: 1,
            stack: Vec::new(),
            files: BTreeMap::new(),
        }
    }

    /// Compiles steps one after the other.
    pub(super) fn all(&mut self, steps: &[ProbeStep], place: &Surroundings<'_>, scope: &mut Scope) {
        for (index, step) in steps.iter().enumerate() {
            if self.steps.len() >= MOST_STEPS {
                let message = "the flow has more than 1000 steps, shared actions counted wherever they are used";
                self.report.error(Code::Budget, &step.position, message, "split the flow".to_owned());
                return;
            }
            let loops = self.begin(step, place, scope, index);
            match (&step.request, &step.action, &step.wasm) {
                (Some(request), None, None) => self.request(step, &request.value, place, scope, index),
                (None, Some(_), None) => self.action(step, place, scope),
                (None, None, Some(plugin)) => self.custom(step, &plugin.value, place, scope, index),
                _ if step.whole => {
                    let message = "a step has exactly one of `request`, `use` and `wasm`";
                    self.report.error(Code::Choice, &step.position, message, None);
                }
                _ => {}
            }
            self.end(loops);
        }
    }

    /// Opens the condition and the loop of a step.
    fn begin(&mut self, step: &ProbeStep, place: &Surroundings<'_>, scope: &mut Scope, index: usize) -> Loops {
        let when = step.when.as_ref().map(|when| {
            let when = &when.value;
            let value = scope.text(&when.value, &mut self.table, self.report);
            let mut context = Context { scope, table: &mut self.table, report: self.report, languages: self.languages };
            let tests = expectation::tests_of_value(&when.is.value, &mut context);
            self.ops.push(Op::When { value, tests, end: 0 });
            self.ops.len() - 1
        });
        let times = self.times;
        let each = step.foreach.as_ref().map(|foreach| {
            let label = id_of(step, place, index);
            self.each(&foreach.value, scope, label)
        });
        Loops { when, each, times }
    }

    fn each(&mut self, foreach: &Foreach, scope: &mut Scope, label: String) -> usize {
        let items = match (&foreach.items, &foreach.from) {
            (Some(items), None) => {
                let texts = items.value.iter().map(|item| scope.text(item, &mut self.table, self.report)).collect();
                Items::In(texts)
            }
            (None, Some(from)) => Items::From(scope.text(from, &mut self.table, self.report)),
            _ => {
                if foreach.whole {
                    let message = "`foreach` has exactly one of `in` and `from`";
                    self.report.error(Code::Choice, &foreach.position, message, None);
                }
                Items::In(Vec::new())
            }
        };
        let most = match &items {
            Items::In(items) => u64::try_from(items.len()).unwrap_or(u64::MAX),
            Items::From(_) => foreach.max().get(),
        };
        self.times = self.times.saturating_mul(most.max(1));
        let slot = self.table.add(foreach.called.value.as_str(), false);
        scope.choose(foreach.called.value.as_str(), slot, &foreach.called.position, self.report);
        let position = foreach.position.clone();
        self.ops.push(Op::Each { slot, items, max: foreach.max().get(), end: 0, label, position });
        self.ops.len() - 1
    }

    fn end(&mut self, loops: Loops) {
        self.times = loops.times;
        if let Some(each) = loops.each {
            self.ops.push(Op::Next { each });
        }
        let behind = self.ops.len();
        for index in [loops.when, loops.each].into_iter().flatten() {
            if let Some(Op::When { end, .. } | Op::Each { end, .. }) = self.ops.get_mut(index) {
                *end = behind;
            }
        }
    }

    fn request(
        &mut self,
        step: &ProbeStep,
        request: &Request,
        place: &Surroundings<'_>,
        scope: &mut Scope,
        index: usize,
    ) {
        let id = id_of(step, place, index);
        if let Some(own) = &step.id {
            // Ids have their own name space: a capture may be called as its step.
            scope.choose(&format!("step {}", own.value), usize::MAX, &own.position, self.report);
        }
        self.refuse_action_keys(step);
        let retry = step.retry.as_ref().or(place.defaults.retry.as_ref());
        let blank = Retry::at(&step.position);
        let retry = self.retry(retry.map_or(&blank, |retry| &retry.value));
        let redirects = step.redirects.as_ref().or(place.defaults.redirects.as_ref());
        let blank = Redirects::at(&step.position);
        let redirects = redirects.map_or(&blank, |redirects| &redirects.value);
        let timeout = step.timeout.as_ref().map_or_else(|| place.defaults.timeout(), |timeout| timeout.value);
        let request = self.ask(request, place.defaults, scope);
        lint::request(step, &request, &retry, redirects, self.report);

        let mut context = Context { scope, table: &mut self.table, report: self.report, languages: self.languages };
        let checks =
            step.expect.as_ref().map(|expect| expectation::checks(&expect.value, &mut context)).unwrap_or_default();
        let poll = step.poll.as_ref().map(|poll| {
            let poll = &poll.value;
            let until = expectation::until(&poll.until.value, &mut context);
            if until.is_empty() && poll.until.value.whole {
                let message = "polling that waits for nothing";
                context.report.error(
                    Code::Choice,
                    &poll.until.position,
                    message,
                    "add `status` or `jsonpath`".to_owned(),
                );
            }
            PollPlan { until, every: poll.every(), max: poll.max.value }
        });
        let longest = worst_case(timeout, &retry, poll.as_ref());
        self.worst = self.worst.saturating_add(longest.saturating_mul(self.times));
        if self.section == Section::Steps && self.stack.is_empty() && lint::changes(request.method) {
            self.changes.get_or_insert_with(|| step.position.clone());
        }
        let captures = step.capture.iter().flat_map(|captures| &captures.value.0).filter_map(|(name, capture)| {
            lint::capture(name, capture, self.report);
            let slot = self.table.add(name.value.as_str(), capture.redact());
            scope.choose(name.value.as_str(), slot, &name.position, self.report);
            self.captured.push((slot, name.position.clone()));
            expectation::capture(name, capture, slot, self.report)
        });
        let captures = captures.collect();
        self.steps.push(StepPlan {
            id,
            position: step.position.clone(),
            severity: step.severity(),
            request: Some(request),
            custom: None,
            checks,
            captures,
            poll,
            retry,
            timeout,
            connect_timeout: place.defaults.connect_timeout(),
            max_body: step.max_body.as_ref().map_or_else(|| place.defaults.max_body(), |size| size.value).0,
            redirects: redirects.max().get(),
            cross_host: redirects.cross_host(),
        });
        let step_plan = self.steps.len() - 1;
        self.ops.push(Op::Request(step_plan));
        if let Some(compiled) = self.steps.get(step_plan) {
            lint::expectations(step, compiled, self.section, self.report);
        }
    }

    /// Keys that only a `use` has.
    pub(super) fn refuse_action_keys(&mut self, step: &ProbeStep) {
        let keys = [
            ("with", step.with.as_ref().map(|with| &with.position)),
            ("as", step.called.as_ref().map(|called| &called.position)),
            ("cache", step.cache.as_ref().map(|cache| &cache.position)),
        ];
        self.refuse_keys(keys, "belongs to a `use`", None);
    }

    /// Keys that only a `request` has.
    fn refuse_request_keys(&mut self, step: &ProbeStep) {
        let keys = [
            ("timeout", step.timeout.as_ref().map(|timeout| &timeout.position)),
            ("maxBody", step.max_body.as_ref().map(|size| &size.position)),
            ("severity", step.severity.as_ref().map(|severity| &severity.position)),
        ];
        let hint = "the steps of the action say it themselves";
        self.refuse_keys(keys_of_answers(step).into_iter().chain(keys), "belongs to a `request`", Some(hint));
    }

    /// Keys that say nothing in a step of this kind.
    pub(super) fn refuse_keys<'k>(
        &mut self,
        keys: impl IntoIterator<Item = (&'static str, Option<&'k Position>)>,
        why: &str,
        hint: Option<&str>,
    ) {
        for (key, position) in keys {
            if let Some(position) = position {
                self.report.error(Code::Unused, position, format!("`{key}` {why}"), hint.map(str::to_owned));
            }
        }
    }

    pub(super) fn retry(&mut self, retry: &Retry) -> RetryPlan {
        let attempts = retry.attempts();
        if let Some(given) = retry.attempts.as_ref().filter(|given| !(1..=MOST_ATTEMPTS).contains(&given.value.get())) {
            let message = format!("expected 1 to {MOST_ATTEMPTS} attempts, found {}", given.value.get());
            self.report.error(Code::Range, &given.position, message, None);
        }
        let on = retry.on.as_ref().map(|on| on.value.iter().map(|on| on.value).collect()).unwrap_or_default();
        if retry.on.is_none() && attempts > Count::from(1) {
            let message = "it is not said after what an attempt is repeated";
            let hint = "add `on: [connect, timeout, 502-504]`".to_owned();
            self.report.error(Code::Choice, &retry.position, message, hint);
        }
        let blank = Backoff::at(&retry.position);
        let backoff = retry.backoff.as_ref().map_or(&blank, |backoff| &backoff.value);
        RetryPlan {
            attempts: u32::try_from(attempts.get().clamp(1, MOST_ATTEMPTS)).unwrap_or(1),
            kind: backoff.kind(),
            base: backoff.base(),
            factor: backoff.factor(),
            max: backoff.max(),
            full_jitter: backoff.jitter() == Jitter::Full,
            on,
            respect_retry_after: retry.respect_retry_after(),
            max_elapsed: retry.max_elapsed.as_ref().map(|elapsed| elapsed.value),
        }
    }

    fn ask(&mut self, request: &Request, defaults: &Defaults, scope: &Scope) -> RequestPlan {
        let place = match (&request.path, &request.url) {
            (Some(path), None) => {
                let text = scope.text(path, &mut self.table, self.report);
                if let Some(Piece::Plain(start)) = text.0.first()
                    && !start.starts_with('/')
                {
                    let message = format!("expected a path that begins with `/`, found `{}`", shown(&path.value.0));
                    self.report.error(Code::BadValue, &path.position, message, None);
                }
                Place::Path(text)
            }
            (None, Some(url)) => {
                let text = scope.text(url, &mut self.table, self.report);
                self.check_host(&text, &url.position);
                Place::Url(text)
            }
            _ => {
                if request.whole {
                    let message = "a request has exactly one of `path` and `url`";
                    self.report.error(Code::Choice, &request.position, message, None);
                }
                Place::Path(Text::plain("/"))
            }
        };
        let bodies = [request.json.is_some(), request.form.is_some(), request.text.is_some()];
        if bodies.iter().filter(|given| **given).count() > 1 {
            let message = "a request has at most one of `json`, `form` and `text`";
            self.report.error(Code::Choice, &request.position, message, None);
        }
        let body = if let Some(json) = &request.json {
            lint::literal_in_tree(&json.value, self.report);
            Some(BodyPlan::Json(scope.body(&json.value, &mut self.table, self.report)))
        } else if let Some(form) = &request.form {
            Some(BodyPlan::Form(self.form(form, scope)))
        } else {
            request.text.as_ref().map(|text| BodyPlan::Text(scope.text(text, &mut self.table, self.report)))
        };
        let mut headers = self.headers(defaults.headers.as_ref(), scope);
        headers.extend(self.headers(request.headers.as_ref(), scope));
        RequestPlan {
            method: request.method(),
            place,
            query: self.pairs(request.query.as_ref(), scope),
            headers,
            auth: request.auth.as_ref().and_then(|auth| self.auth(&auth.value, scope)),
            body,
            idempotency_key: request.idempotency_key(),
        }
    }

    /// Names and values, with literal credentials reported.
    fn pairs(&mut self, given: Option<&Spanned<Keyed<Template>>>, scope: &Scope) -> Vec<(String, Text)> {
        let entries = given.into_iter().flat_map(|given| &given.value.0);
        let compile = |(name, value): &(Spanned<String>, Spanned<Template>)| {
            let text = scope.text(value, &mut self.table, self.report);
            lint::literal(&name.value, &text, &value.position, self.report);
            (name.value.clone(), text)
        };
        entries.map(compile).collect()
    }

    /// A form, whose names are templates too.
    fn form(&mut self, form: &Spanned<Keyed<Template>>, scope: &Scope) -> Vec<(Text, Text)> {
        let values = self.pairs(Some(form), scope);
        let names = form.value.0.iter().map(|(name, _)| {
            let name = Spanned { value: Template(name.value.clone()), position: name.position.clone() };
            scope.text(&name, &mut self.table, self.report)
        });
        names.zip(values).map(|(name, (_, value))| (name, value)).collect()
    }

    pub(super) fn headers(&mut self, given: Option<&Spanned<Keyed<Template>>>, scope: &Scope) -> Vec<(String, Text)> {
        for (name, _) in given.into_iter().flat_map(|given| &given.value.0) {
            if !header::is_name(&name.value) {
                let message = format!("`{}` is not the name of a header", shown(&name.value));
                self.report.error(Code::BadValue, &name.position, message, None);
            } else if header::is_own(&name.value) {
                let message = format!("`{}` is written by the prober itself", shown(&name.value));
                let hint = "to reach another host, use the target's `connectTo`".to_owned();
                self.report.error(Code::BadValue, &name.position, message, hint);
            }
        }
        self.pairs(given, scope).into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect()
    }

    fn auth(&mut self, auth: &Auth, scope: &Scope) -> Option<AuthPlan> {
        match (&auth.basic, &auth.bearer) {
            (Some(basic), None) => {
                let user = scope.text(&basic.value.user, &mut self.table, self.report);
                let password = scope.text(&basic.value.password, &mut self.table, self.report);
                lint::literal("password", &password, &basic.value.password.position, self.report);
                Some(AuthPlan::Basic { user, password })
            }
            (None, Some(bearer)) => {
                let token = scope.text(bearer, &mut self.table, self.report);
                lint::literal("token", &token, &bearer.position, self.report);
                Some(AuthPlan::Bearer(token))
            }
            _ => {
                if auth.whole {
                    let message = "`auth` has exactly one of `basic` and `bearer`";
                    self.report.error(Code::Choice, &auth.position, message, None);
                }
                None
            }
        }
    }

    /// Whether every target allows the host of a URL, as far as that is known before a run.
    pub(super) fn check_host(&mut self, url: &Text, position: &Position) {
        for target in &self.targets {
            let known = self.table.known(url, &target.vars, 8);
            let whole = known.literal().is_some();
            let Some(Piece::Plain(start)) = known.0.first() else { continue };
            // Up to the path, the text must be known: what follows cannot change the host.
            let behind = start.split_once("://").map(|(_, rest)| rest);
            if !whole && !behind.is_some_and(|rest| rest.contains(['/', '?'])) {
                continue;
            }
            let refused = match start.parse::<Url>() {
                Ok(url) if target.hosts.contains(&url.host().to_string()) => continue,
                Ok(url) => format!("the target `{}` does not allow the host `{}`", target.name, url.host()),
                Err(error) => without_code(&error.to_string()),
            };
            let hint = "add it to the target's `allowHosts`".to_owned();
            self.report.error(Code::ProbeHost, position, refused, hint);
        }
    }

    /// Writes out a shared action.
    fn action(&mut self, step: &ProbeStep, place: &Surroundings<'_>, scope: &mut Scope) {
        self.refuse_request_keys(step);
        let Some((library, action, called, position)) = self.find_action(step, place) else { return };
        if self.stack.contains(&library.path) {
            // Reported where the libraries import each other.
            return;
        }
        let mut inner = Scope::default();
        for builtin in ["target.name", "target.baseUrl", "run.id", "run.location"] {
            if let Some(slot) = scope.names.get(builtin) {
                inner.names.insert(builtin.to_owned(), *slot);
            }
        }
        let inputs = self.inputs(step, &action, scope, &mut inner, &position);
        let group = step.cache.as_ref().map(|cache| {
            let key = format!("{}#{called}", library.path);
            let (ttl, scope) = (cache.value.ttl.value, cache.value.scope());
            self.groups.push(GroupPlan { enter: self.ops.len(), key, ttl, scope, inputs, outputs: Vec::new() });
            let group = self.groups.len() - 1;
            self.ops.push(Op::Enter { group, end: 0 });
            (group, self.ops.len() - 1)
        });
        self.stack.push(library.path.clone());
        self.files.insert(library.path.clone(), library.digest);
        let imports = library.document.spec.value.imports.as_ref().map(|imports| &imports.value);
        let prefix = format!("{}{called}/", place.prefix);
        let inside = Surroundings { imports, defaults: place.defaults, prefix };
        self.all(&action.steps.value, &inside, &mut inner);
        self.stack.pop();

        let mut outputs = Vec::new();
        for (name, output) in action.outputs.iter().flat_map(|outputs| &outputs.value.0) {
            let value = inner.text(&output.value, &mut self.table, self.report);
            let secret = self.table.is_secret(&value);
            let full = format!("{called}.{}", name.value);
            let slot = self.table.add(full.clone(), secret);
            self.table.know(slot, &value);
            scope.choose(&full, slot, &position, self.report);
            self.ops.push(Op::Set { slot, value });
            outputs.push(slot);
        }
        if let Some((group, enter)) = group {
            self.ops.push(Op::Leave { group });
            let behind = self.ops.len();
            if let Some(Op::Enter { end, .. }) = self.ops.get_mut(enter) {
                *end = behind;
            }
            if let Some(plan) = self.groups.get_mut(group) {
                plan.outputs = outputs;
            }
        }
    }

    /// The action that a step uses, the name under which it is seen, and where that stands.
    fn find_action(
        &mut self,
        step: &ProbeStep,
        place: &Surroundings<'_>,
    ) -> Option<(&'a Library, Action, String, Position)> {
        let uses = step.action.as_ref()?;
        let text = uses.value.as_str();
        let Some((import, action)) = text.split_once('.') else {
            let message = format!("`{}` does not name an action", shown(text));
            let hint = "write the name of an import, a dot, and the name of its action".to_owned();
            self.report.error(Code::ProbeReference, &uses.position, message, hint);
            return None;
        };
        let imports = || place.imports.into_iter().flat_map(|imports| &imports.0);
        let Some((_, found)) = imports().find(|(name, _)| name.value.as_str() == import) else {
            let message = format!("there is no import `{}`", shown(import));
            let near = did_you_mean(import, imports().map(|(name, _)| name.value.as_str()));
            let hint = near.unwrap_or_else(|| "add it to `imports`".to_owned());
            self.report.error(Code::ProbeReference, &uses.position, message, hint);
            return None;
        };
        let library = import::find(found, self.libraries)?;
        let actions = || &library.document.spec.value.actions.value.0;
        let Some((name, found)) = actions().iter().find(|(name, _)| name.value.as_str() == action) else {
            let message = format!("the library `{}` has no action `{}`", shown(&library.path), shown(action));
            let near = did_you_mean(action, actions().iter().map(|(name, _)| name.value.as_str()));
            self.report.error(Code::ProbeReference, &uses.position, message, near);
            return None;
        };
        let called = step.called.as_ref().unwrap_or(name);
        let position = step.called.as_ref().map_or(&uses.position, |called| &called.position);
        Some((library, found.clone(), called.value.to_string(), position.clone()))
    }

    /// Gives the inputs of an action their values; their slots in the order of the action.
    fn inputs(
        &mut self,
        step: &ProbeStep,
        action: &Action,
        scope: &Scope,
        inner: &mut Scope,
        position: &Position,
    ) -> Vec<usize> {
        let given = || step.with.iter().flat_map(|with| &with.value.0);
        let known = || action.inputs.iter().flat_map(|inputs| &inputs.value.0);
        for (name, _) in given() {
            if !known().any(|(input, _)| input.value.as_str() == name.value) {
                let message = format!("the action has no input `{}`", shown(&name.value));
                let near = did_you_mean(&name.value, known().map(|(input, _)| input.value.as_str()));
                self.report.error(Code::ProbeReference, &name.position, message, near);
            }
        }
        let mut slots = Vec::new();
        for (input, declared) in known() {
            let name = input.value.as_str();
            let value = match (given().find(|(given, _)| given.value == name), &declared.default) {
                (Some((_, value)), _) => {
                    let text = scope.text(value, &mut self.table, self.report);
                    lint::literal(name, &text, &value.position, self.report);
                    text
                }
                (None, Some(default)) => Scope::default().text(default, &mut self.table, self.report),
                (None, None) => {
                    let message = format!("the action needs the input `{name}`");
                    self.report.error(Code::ProbeReference, position, message, "add it to `with`".to_owned());
                    Text::plain("")
                }
            };
            let slot = self.table.add(format!("inputs.{name}"), self.table.is_secret(&value));
            self.table.know(slot, &value);
            inner.names.insert(format!("inputs.{name}"), slot);
            self.ops.push(Op::Set { slot, value });
            slots.push(slot);
        }
        slots
    }
}

/// Where the condition and the loop of a step begin, and how often the step was to run outside.
struct Loops {
    when: Option<usize>,
    each: Option<usize>,
    times: u64,
}

/// Keys about the answers to a request, with where they stand: neither a `use` nor a plugin has them.
pub(super) fn keys_of_answers(step: &ProbeStep) -> [(&'static str, Option<&Position>); 5] {
    [
        ("expect", step.expect.as_ref().map(|expect| &expect.position)),
        ("capture", step.capture.as_ref().map(|capture| &capture.position)),
        ("poll", step.poll.as_ref().map(|poll| &poll.position)),
        ("retry", step.retry.as_ref().map(|retry| &retry.position)),
        ("redirects", step.redirects.as_ref().map(|redirects| &redirects.position)),
    ]
}

pub(super) fn id_of(step: &ProbeStep, place: &Surroundings<'_>, index: usize) -> String {
    let own = step.id.as_ref().map_or_else(|| format!("step-{}", index + 1), |id| id.value.to_string());
    format!("{}{own}", place.prefix)
}

/// The longest that one step can take: its attempts, or its polling, and the waiting between.
pub(super) fn worst_case(timeout: Duration, retry: &RetryPlan, poll: Option<&PollPlan>) -> u64 {
    let attempts: u64 = retry.attempts.into();
    let waits: u64 = (1..retry.attempts).map(|attempt| retry.wait(attempt).millis()).fold(0, u64::saturating_add);
    let asked = timeout.millis().saturating_mul(attempts).saturating_add(waits);
    let asked = retry.max_elapsed.map_or(asked, |elapsed| asked.min(elapsed.millis()));
    poll.map_or(asked, |poll| asked.saturating_add(poll.max.millis()))
}

pub(super) const MUTATING: [HttpMethod; 4] = [HttpMethod::Post, HttpMethod::Put, HttpMethod::Patch, HttpMethod::Delete];

/// A message without the code of the error, which has one here.
pub(super) fn without_code(message: &str) -> String {
    message.split_once(": ").map_or(message, |(_, rest)| rest).to_owned()
}
