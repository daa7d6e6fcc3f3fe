//! CEL: expressions that are parsed once, and judged only where their cost is known to be small. In a rule, one that is
//! true of a release that may go on; in a flow, one that is true of an answer that is as expected.

mod conditions;
mod cost;
mod expectation;
mod expression;
mod guard;
mod pattern;
mod rule;
mod view;
mod walk;

use std::sync::{Arc, LazyLock};

use cel_interpreter::Env;

/// The Common Expression Language, as Kubernetes' admission policies use it: for [rules](davy::RuleLanguage), and for the
/// expectation `cel` of [flows](davy::probe::ExpectationLanguage).
///
/// ```
/// use std::sync::Arc;
///
/// let flow = "
/// apiVersion: davy/v1
/// kind: ProbeFlow
/// metadata: { name: cart }
/// spec:
///   targets: { prod: { baseUrl: https://shop.example } }
///   steps:
///     - id: cart
///       request: { path: /cart }
///       expect: { status: 200, cel: 'json.items.all(item, item.price > 0) && durationMs < 500' }
/// ";
/// let flows = davy::ProbeFlows::with_languages([("cart.yaml", flow)], &[Arc::new(davy_rules::Cel)])?;
/// assert!(flows.get("cart").is_some());
/// # Ok::<(), davy::BundleError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Cel;

/// The functions and macros of the standard, without optional values.
static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib().with_optional_support(false);
    pattern::declare(&mut env);
    Arc::new(env)
});
