//! Noise in words.

use super::sentence::{decimal, odds};
use crate::decision::{Key, Method, NoiseSeen};
use crate::{Count, Name};

/// What is known of the noise, how far both keys are, and what would help. Powers of ten.
pub(super) fn sentence(metric: &Name, seen: &NoiseSeen, (first, second, needed): (f64, f64, f64)) -> String {
    let source = match seen.method {
        Method::Replicas | Method::FewReplicas => format!("{} replicas of the baseline show", seen.replicas),
        Method::History => format!("past rollouts and {} replicas of the baseline show", seen.replicas),
        Method::Ranked => "ranked among past healthy rollouts".to_owned(),
        Method::Declared => "no replicas show it, so it is outside the guarantee; assumed".to_owned(),
    };
    let noise = match seen.method {
        Method::Ranked => source,
        _ => format!("{source}: ± {}", percent(seen.deviation)),
    };
    // An abort lasts, and the second key may fall after it: what is missing now need not be what is waited for.
    let blocks = match seen.blocks {
        _ if first >= needed && second >= needed => "both are enough",
        Key::First => "an abort takes both, and the evidence itself is not enough now",
        Key::Second => "an abort takes both, and what the noise leaves is not enough now",
    };
    let outage = if seen.outage { ", and all of what the outage says, which is like no noise" } else { "" };
    let strictness = seen.strictness.map_or_else(String::new, |factor| {
        format!(" and divided by {}, as `strictNoise` asks", decimal(round(factor)))
    });
    let mut text = format!(
        "noise of {metric}: {noise}; {} of the raw evidence counts{outage}; {} to 1 as if requests were independent, {} to 1 with the noise{strictness}, {} abort; {blocks}",
        percent(seen.counted),
        odds(first),
        odds(second),
        odds(needed),
    );
    if let Some(ratio) = seen.detectable.filter(|ratio| *ratio > 1.005) {
        let helps = if seen.needs_replicas { ", adding replicas helps, time does not" } else { "" };
        text.push_str(&format!(
            "; nothing below {}x what is tolerated can be told from it{helps}",
            decimal(round(ratio))
        ));
    }
    if let (Some(excess), Some(placebo)) = (seen.excess, seen.placebo) {
        let signed = |part: f64| format!("{}{}", if part < 0.0 { "−" } else { "+" }, percent(part.abs()));
        text.push_str(&format!(
            "; the canary has {} of the baseline's events, its worst replica {}",
            signed(excess),
            signed(placebo)
        ));
    }
    if seen.young > Count::ZERO {
        text.push_str(&format!(
            "; {} of {} counts were left out, as their replicas had just started",
            seen.young, seen.seen
        ));
    }
    text
}

fn round(ratio: f64) -> f64 {
    (ratio * 100.0).round() / 100.0
}

fn percent(part: f64) -> String {
    format!("{} %", decimal((part * 1000.0).round() / 10.0))
}
