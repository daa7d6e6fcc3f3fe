//! A request put together from a plan and the values of a run, and what a redirect makes of it.

use base64::Engine as _;

use super::address::AddressKind;
use super::header::{Headers, USER_AGENT};
use super::message::{Bytes, Header};
use super::plan::{AuthPlan, BodyPlan, Place, RequestPlan, RoutePlan, SlotPlan, TargetPlan};
use super::redact::Redactor;
use super::template::{Slots, Text, Unset};
use super::url::{Host, Url, encode_form};
use crate::document::probe::{AddressPolicy, CrossHost, HttpMethod};

/// A request before cookies and deadlines.
#[derive(Clone)]
pub(super) struct Prepared {
    pub(super) method: HttpMethod,
    pub(super) url: Url,
    pub(super) headers: Vec<Header>,
    pub(super) body: Bytes,
}

/// What every request of a run shares.
pub(super) struct Common<'a> {
    pub(super) target: &'a TargetPlan,
    pub(super) route: Option<&'a RoutePlan>,
    pub(super) slots: &'a Slots,
    pub(super) names: &'a [SlotPlan],
}

/// Puts a request together.
///
/// # Errors
/// In words; it is the flow's fault, not the service's.
pub(super) fn prepare(
    plan: &RequestPlan,
    common: &Common<'_>,
    idempotency_key: Option<&str>,
    redactor: &mut Redactor,
) -> Result<Prepared, String> {
    let text = |text: &Text| text.render(common.slots).map_err(|unset| was_never_set(unset, common.names));
    let pairs = |pairs: &[(String, Text)]| -> Result<Vec<(String, String)>, String> {
        pairs.iter().map(|(name, value)| Ok((name.clone(), text(value)?))).collect()
    };
    let query = pairs(&plan.query)?;
    let base = common.route.and_then(|route| route.base_url.as_ref()).unwrap_or(&common.target.base_url);
    let url = match &plan.place {
        Place::Path(path) => {
            let path = path.render_path(common.slots).map_err(|unset| was_never_set(unset, common.names))?;
            if !path.starts_with('/') {
                return Err("the path does not begin with `/`".to_owned());
            }
            base.below(&path, &query).map_err(|error| error.to_string())?
        }
        Place::Url(url) => {
            let mut url: Url = text(url)?.parse().map_err(|error: super::UrlError| error.to_string())?;
            url.add_query(&query);
            url
        }
    };
    admit(&url, common.target)?;
    let mut headers = Headers::default();
    headers.set("user-agent", USER_AGENT.to_owned(), false)?;
    headers.set("accept", "*/*".to_owned(), false)?;
    let body = match &plan.body {
        None => Bytes::default(),
        Some(BodyPlan::Json(body)) => {
            headers.set("content-type", "application/json".to_owned(), false)?;
            let json = body.text(common.slots).map_err(|unset| was_never_set(unset, common.names))?;
            Bytes(json.into_bytes())
        }
        Some(BodyPlan::Form(fields)) => {
            headers.set("content-type", "application/x-www-form-urlencoded".to_owned(), false)?;
            let fields = fields.iter().map(|(name, value)| Ok((text(name)?, text(value)?)));
            Bytes(encode_form(&fields.collect::<Result<Vec<_>, String>>()?).into_bytes())
        }
        Some(BodyPlan::Text(body)) => {
            headers.set("content-type", "text/plain; charset=utf-8".to_owned(), false)?;
            Bytes(text(body)?.into_bytes())
        }
    };
    let routed = common.route.map_or(&[][..], |route| &route.headers);
    for (name, value) in plan.headers.iter().chain(routed) {
        headers.set(name, text(value)?, is_secret(value, common.names))?;
    }
    match &plan.auth {
        Some(AuthPlan::Bearer(token)) => headers.set("authorization", format!("Bearer {}", text(token)?), true)?,
        Some(AuthPlan::Basic { user, password }) => {
            let encoded =
                base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", text(user)?, text(password)?));
            // A service that echoes its headers would tell it.
            redactor.add("basic", &encoded);
            headers.set("authorization", format!("Basic {encoded}"), true)?;
        }
        None => {}
    }
    if let Some(key) = idempotency_key {
        headers.set("idempotency-key", key.to_owned(), false)?;
    }
    Ok(Prepared { method: plan.method, url, headers: headers.into_list(), body })
}

/// Follows a redirect.
///
/// # Errors
/// What is wrong with it, in words; it is the service's fault.
pub(super) fn redirect(
    from: &Prepared,
    status: u16,
    location: &str,
    cross_host: CrossHost,
    target: &TargetPlan,
) -> Result<Prepared, String> {
    let url = from.url.join(location).map_err(|error| format!("a redirect that is none: {error}"))?;
    admit(&url, target).map_err(|why| format!("a redirect that is not followed: {why}"))?;
    let mut next = Prepared { url, ..from.clone() };
    if !next.url.is_same_origin(&from.url) {
        match cross_host {
            CrossHost::Refuse => return Err(format!("a redirect to another host, `{}`", next.url.host())),
            CrossHost::StripAuth => next.headers.retain(|header| !header.secret),
            CrossHost::KeepAuth => {}
        }
    }
    // RFC 9110, section 15.4: 303 asks with GET, and so does what every browser makes of 301 and 302.
    let asks_anew = status == 303 && next.method != HttpMethod::Head
        || matches!(status, 301 | 302) && next.method == HttpMethod::Post;
    if asks_anew {
        next.method = HttpMethod::Get;
        next.body = Bytes::default();
        next.headers.retain(|header| header.name != "content-type" && header.name != "idempotency-key");
    }
    Ok(next)
}

/// Whether a URL may be asked at all: its host is allowed, and where it is an address, that too.
pub(super) fn admit(url: &Url, target: &TargetPlan) -> Result<(), String> {
    let host = url.host().to_string();
    if !target.hosts.contains(&host) {
        return Err(format!("the target `{}` does not allow the host `{host}`", target.name));
    }
    let kind = match url.host() {
        Host::Address(address) => AddressKind::of(*address),
        // RFC 6761, section 6.3.
        Host::Name(name) if name == "localhost" || name.ends_with(".localhost") => AddressKind::Loopback,
        Host::Name(_) => return Ok(()),
    };
    if kind.is_admitted(target.policy) { Ok(()) } else { Err(refusal(&host, kind, target.policy)) }
}

/// Why an address is refused.
pub(super) fn refusal(address: &str, kind: AddressKind, policy: AddressPolicy) -> String {
    format!("`{address}` is {}, and the target's `addressPolicy` is `{policy}`", kind.as_str())
}

pub(super) fn was_never_set(unset: Unset, names: &[SlotPlan]) -> String {
    let name = names.get(unset.0).map_or("", |slot| slot.name.as_str());
    format!("`{name}` was never set")
}

/// Whether a secret stands in a text.
pub(super) fn is_secret(text: &Text, names: &[SlotPlan]) -> bool {
    text.slots().any(|slot| names.get(slot).is_some_and(|slot| slot.secret))
}
