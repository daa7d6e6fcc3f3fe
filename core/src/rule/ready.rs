//! The rules of a bundle, compiled by the languages of an engine.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Fact, KnownNames, Names, Rule, RuleLanguage, RulePlan, RuleSource};
use crate::Name;
use crate::bundle::Bundle;
use crate::document::decode::Report;
use crate::document::diagnostic;
use crate::document::{Diagnostic, DiagnosticCode as Code, Severity};

/// A rule of an environment, ready to judge.
#[derive(Debug, Clone)]
pub(crate) struct ReadyRule {
    pub(crate) plan: RulePlan,
    /// Nothing where the engine was made without the rule's language.
    pub(crate) rule: Option<Arc<dyn Rule>>,
}

/// The rules of every environment.
#[derive(Debug)]
pub(crate) struct Rules {
    /// Of every environment, where none is named.
    any: Vec<ReadyRule>,
    named: BTreeMap<Name, Vec<ReadyRule>>,
    warnings: Vec<Diagnostic>,
    annotations: Fact,
}

impl Rules {
    /// Compiles each rule once, however many environments use it. The second part is what is wrong.
    pub(crate) fn compile(bundle: &Bundle, languages: &[Arc<dyn RuleLanguage>]) -> (Self, Vec<Diagnostic>) {
        let mut compiler =
            Compiler { names: known_names(bundle), languages, known: Vec::new(), diagnostics: Vec::new() };
        let policies = bundle.policies();
        let any = policies.any.iter().flat_map(|policy| &policy.rules).map(|plan| compiler.ready(plan)).collect();
        let named = policies
            .named
            .iter()
            .map(|(name, policy)| (name.clone(), policy.rules.iter().map(|plan| compiler.ready(plan)).collect()));
        let named = named.collect();
        let mut diagnostics = compiler.diagnostics;
        diagnostic::sort(&mut diagnostics);
        diagnostics.dedup();
        let is_error = |diagnostic: &Diagnostic| diagnostic.severity == Severity::Error;
        let errors = if diagnostics.iter().any(is_error) { diagnostics.clone() } else { Vec::new() };
        let warnings = diagnostics.into_iter().filter(|it| !is_error(it)).collect();
        (Self { any, named, warnings, annotations: annotations(bundle) }, errors)
    }

    pub(crate) fn of(&self, environment: &Name) -> &[ReadyRule] {
        self.named.get(environment).unwrap_or(&self.any)
    }

    /// Of all environments; what several share stands here several times.
    pub(crate) fn all(&self) -> impl Iterator<Item = &ReadyRule> {
        self.named.values().flatten().chain(&self.any)
    }

    pub(crate) fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    pub(crate) fn annotations(&self) -> &Fact {
        &self.annotations
    }
}

fn annotations(bundle: &Bundle) -> Fact {
    let annotations = bundle.rollout().metadata.value.annotations.iter().flat_map(|it| &it.value.0);
    annotations.map(|(key, value)| (key.value.as_str().to_owned(), Fact::text(value))).collect()
}

struct Compiler<'a> {
    names: KnownNames,
    languages: &'a [Arc<dyn RuleLanguage>],
    known: Vec<(&'a RulePlan, Option<Arc<dyn Rule>>)>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Compiler<'a> {
    fn ready(&mut self, plan: &'a RulePlan) -> ReadyRule {
        let same = |known: &&RulePlan| {
            known.text == plan.text && known.outcome == plan.outcome && known.message == plan.message
        };
        let known = self.known.iter().find(|(known, _)| same(known)).map(|(_, rule)| rule.clone());
        let rule = known.unwrap_or_else(|| {
            let rule = self.compile(plan);
            self.known.push((plan, rule.clone()));
            rule
        });
        ReadyRule { plan: plan.clone(), rule }
    }

    fn compile(&mut self, plan: &RulePlan) -> Option<Arc<dyn Rule>> {
        let wanted = plan.text.language;
        let Some(language) = self.languages.iter().find(|language| language.name() == wanted) else {
            let hint = "give the engine its language: `Engine::builder(&bundle).rules(davy_rules::languages())`";
            let mut report = Report::default();
            let message = format!("the engine was made without `{wanted}`, in which this rule is written");
            report.error(Code::RuleLanguage, &plan.position, message, hint.to_owned());
            self.diagnostics.append(&mut report.diagnostics);
            return None;
        };
        let source = RuleSource {
            name: &plan.name,
            text: &plan.text.text,
            outcome: plan.outcome,
            message: plan.message.as_ref(),
            names: Some(&self.names),
            origin: plan.text.origin.clone(),
        };
        language.compile(&source, &mut self.diagnostics)
    }
}

fn known_names(bundle: &Bundle) -> KnownNames {
    let policies = bundle.policies();
    let all = || policies.named.values().chain(&policies.any);
    let sorted = |names: Vec<&str>| {
        let names: BTreeSet<&str> = names.into_iter().collect();
        names.into_iter().map(str::to_owned).collect()
    };
    let annotations = bundle.rollout().metadata.value.annotations.iter().flat_map(|it| &it.value.0);
    let metrics = all().filter_map(|policy| policy.health.as_ref()).flat_map(|plan| &plan.metrics);
    let slos = all().filter_map(|policy| policy.budget.as_ref()).flat_map(|plan| &plan.slos);
    let flows = all().flat_map(|policy| &policy.probes);
    KnownNames(BTreeMap::from([
        (Names::Annotations, sorted(annotations.map(|(key, _)| key.value.as_str()).collect())),
        (Names::Metrics, sorted(metrics.map(|metric| metric.name.as_str()).collect())),
        (Names::Slos, sorted(slos.map(|slo| slo.name.as_str()).collect())),
        (Names::Flows, sorted(flows.map(|probe| probe.flow.value.as_str()).collect())),
    ]))
}
