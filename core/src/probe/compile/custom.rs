//! Custom steps compiled: which plugin, what it is given, what it captures.

use super::scope::Scope;
use super::step::{Builder, Surroundings, id_of, keys_of_answers, worst_case};
use crate::document::diagnostic::DiagnosticCode as Code;
use crate::document::probe::{ProbeStep, Retry, TreeValue};
use crate::document::{Spanned, StepPluginUse};
use crate::policy::pinned;
use crate::probe::plan::{CustomPlan, Op, StepPlan};
use crate::probe::template::Body;
use crate::{Digest, Name};

/// The most requests that a plugin may send.
const MOST_TURNS: u64 = 100;

impl Builder<'_> {
    /// A step that a plugin takes.
    pub(super) fn custom(
        &mut self,
        step: &ProbeStep,
        plugin: &StepPluginUse,
        place: &Surroundings<'_>,
        scope: &mut Scope,
        index: usize,
    ) {
        let id = id_of(step, place, index);
        if let Some(own) = &step.id {
            scope.choose(&format!("step {}", own.value), usize::MAX, &own.position, self.report);
        }
        self.refuse_action_keys(step);
        let hint = "the plugin expects, captures and asks again itself";
        self.refuse_keys(keys_of_answers(step), "is not used beside `wasm`", Some(hint));
        let (digest, native) = self.which(plugin);
        let parameters = match &plugin.parameters {
            Some(Spanned { value, position }) => {
                if !matches!(value.value, TreeValue::Object(_)) {
                    self.report.error(Code::WrongShape, position, "parameters are a mapping", None);
                }
                scope.body(value, &mut self.table, self.report)
            }
            None => Body::Object(Vec::new()),
        };
        let turns = plugin.turns();
        if turns.get() == 0 || turns.get() > MOST_TURNS {
            let position = plugin.turns.as_ref().map_or(&plugin.position, |turns| &turns.position);
            self.report.error(Code::Range, position, format!("`turns` is from 1 to {MOST_TURNS}, not {turns}"), None);
        }
        let timeout = step.timeout.as_ref().map_or_else(|| place.defaults.timeout(), |timeout| timeout.value);
        let retry = self.retry(&Retry::at(&step.position));
        let longest = worst_case(timeout, &retry, None).saturating_mul(turns.get());
        self.worst = self.worst.saturating_add(longest.saturating_mul(self.times));
        let captures = plugin.captures.iter().flat_map(|captures| &captures.value);
        let captures = captures
            .map(|name| {
                let slot = self.table.add(name.value.as_str(), false);
                scope.choose(name.value.as_str(), slot, &name.position, self.report);
                self.captured.push((slot, name.position.clone()));
                (name.value.to_string(), slot)
            })
            .collect();
        let turns = u32::try_from(turns.get()).unwrap_or(1);
        self.steps.push(StepPlan {
            id,
            position: step.position.clone(),
            severity: step.severity(),
            request: None,
            custom: Some(CustomPlan { plugin: digest, native, document: plugin.clone(), parameters, captures, turns }),
            checks: Vec::new(),
            captures: Vec::new(),
            poll: None,
            retry,
            timeout,
            connect_timeout: place.defaults.connect_timeout(),
            max_body: step.max_body.as_ref().map_or_else(|| place.defaults.max_body(), |size| size.value).0,
            redirects: 0,
            cross_host: crate::document::probe::CrossHost::Refuse,
        });
        self.ops.push(Op::Request(self.steps.len() - 1));
    }

    fn which(&mut self, plugin: &StepPluginUse) -> (Option<Digest>, Option<Name>) {
        match (&plugin.path, &plugin.digest, &plugin.native) {
            (None, None, Some(native)) => (None, Some(native.value.clone())),
            (Some(path), digest, None) => {
                (pinned(path, digest.as_ref(), self.plugins, Code::ProbePlugin, self.report), None)
            }
            _ => {
                let hint = "a component has `path` and `digest`, code of the host has `native`".to_owned();
                self.report.error(Code::Choice, &plugin.position, "it is not said which plugin is meant", hint);
                (None, None)
            }
        }
    }
}
