//! Whom a window concerns.

use super::not_empty;
use crate::document::decode::{Named, Report};
use crate::document::{Combine, DiagnosticCode as Code, Glob, Selector, Spanned};
use crate::snapshot::Target;
use crate::{Name, Text};

/// A selector, key by key.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Selects {
    combine: Combine,
    /// Without any, everything.
    keys: Vec<(Key, Vec<Glob>)>,
}

#[derive(Debug, Clone, PartialEq)]
enum Key {
    Service,
    Environment,
    Cluster,
    Namespace,
    Label(Name),
}

/// Whom a change is about, as far as that is known: what the selectors of windows ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whom<'a> {
    /// The service.
    pub service: Option<&'a Name>,
    /// Where it goes.
    pub environment: Option<&'a Name>,
    /// What it goes to there.
    pub target: &'a Target,
}

/// Whether a window concerns a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Concerns {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// That depends on something that is not known: what, as the snapshot spells it.
    Unknown(String),
}

impl Selects {
    /// Whether it selects this change.
    pub(super) fn concerns(&self, whom: Whom<'_>) -> Concerns {
        let Selects { combine, keys } = self;
        let mut unknown = None;
        for (key, patterns) in keys {
            let fits =
                key.texts(whom).map(|texts| texts.iter().any(|text| patterns.iter().any(|pattern| pattern.fits(text))));
            match (fits, combine) {
                (Some(true), Combine::Any) => return Concerns::Yes,
                (Some(false), Combine::All) => return Concerns::No,
                (Some(_), _) => {}
                (None, _) => unknown = unknown.or_else(|| Some(key.shown())),
            }
        }
        match (unknown, combine) {
            (Some(key), _) => Concerns::Unknown(key),
            (None, Combine::Any) if !keys.is_empty() => Concerns::No,
            (None, _) => Concerns::Yes,
        }
    }
}

impl Key {
    /// What the change has under this key; nothing where it is not known.
    fn texts<'a>(&self, Whom { service, environment, target }: Whom<'a>) -> Option<Vec<&'a str>> {
        let known = |texts: Vec<&'a str>| Some(texts).filter(|texts| !texts.is_empty());
        match self {
            Self::Service => known(service.iter().map(|name| name.as_str()).collect()),
            Self::Environment => known(environment.iter().map(|name| name.as_str()).collect()),
            Self::Cluster => known([&target.cluster, &target.server].into_iter().flatten().map(Text::as_str).collect()),
            Self::Namespace => known(target.namespace.iter().map(Name::as_str).collect()),
            // Labels are known as a whole: one that is not there is not there.
            Self::Label(label) => {
                target.labels.as_ref().map(|labels| labels.get(label).iter().map(|text| text.as_str()).collect())
            }
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Service => "service".to_owned(),
            Self::Environment => "environment".to_owned(),
            Self::Cluster => "target.cluster".to_owned(),
            Self::Namespace => "target.namespace".to_owned(),
            Self::Label(_) => "target.labels".to_owned(),
        }
    }
}

impl Selects {
    pub(super) fn compile(selector: &Selector, report: &mut Report) -> Option<Self> {
        let lists = [
            (Key::Service, &selector.services, "services"),
            (Key::Environment, &selector.environments, "environments"),
            (Key::Cluster, &selector.clusters, "clusters"),
            (Key::Namespace, &selector.namespaces, "namespaces"),
        ];
        let mut keys = Vec::new();
        for (key, list, name) in lists {
            if let Some(list) = list {
                not_empty(list, name, report);
                keys.push((key, list.value.clone()));
            }
        }
        if let Some(Spanned { value: Named(labels), position }) = &selector.labels {
            if labels.is_empty() {
                report.error(Code::Choice, position, "`labels` is empty", "name at least one".to_owned());
            }
            keys.extend(labels.iter().map(|(name, glob)| (Key::Label(name.value.clone()), vec![glob.clone()])));
        }
        match (selector.everything(), keys.is_empty()) {
            (true, false) => {
                let hint = "keep either of them".to_owned();
                report.error(Code::Choice, &selector.position, "`everything` and other keys exclude each other", hint);
                None
            }
            (false, true) => {
                let hint = "add `everything: true`, or say whom it concerns".to_owned();
                report.error(Code::Choice, &selector.position, "the selector selects nothing", hint);
                None
            }
            _ => Some(Self { combine: selector.combine(), keys }),
        }
    }
}
