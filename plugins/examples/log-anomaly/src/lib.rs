//! How far the canary's log templates are from the baseline's: a G-test, standardised.
//!
//! A log's lines are counted per template ("could not reach <*> after <*> ms"), as miners such as Drain make them. Two
//! releases that log alike differ by chance alone; how much, the G-test knows, whatever the volumes are. The score is
//! `(G − d) / √(2d)`: about 0 where both log alike, seldom above 4 by chance. Templates that are expected too seldom for
//! the test are taken together; one that only the canary has, often enough, is what makes it rise.

use std::collections::BTreeMap;

use davy_plugin::{Observed, Series, metric, parameters};

parameters! {
    /// What is compared.
    pub struct Compared {
        /// Templates that are expected fewer times than this in the smaller log are taken together.
        least: f64 = 5.0,
        /// Fewer lines of either cohort say nothing.
        lines: u64 = 50,
        /// Templates to leave out, as the policy's label names them.
        except: Vec<String> = Vec::new(),
    }
}

metric! {
    name: "log-anomaly", measures: comparison("1"), window: 1,
    summary: "How unlike the baseline's the canary's log is, in standard deviations of chance",
    inputs: { lines: events optional "Log lines per template: `by` is the label that holds the template" },
    fn evaluate(compared: &Compared, seen: &Observed) -> Result<f64, String> {
        let mut templates: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for series in seen.of("lines") {
            let count = &mut templates.entry(name(series)).or_default().0;
            *count = count.saturating_add(series.all_events());
        }
        for series in seen.baseline_of("lines") {
            let count = &mut templates.entry(name(series)).or_default().1;
            *count = count.saturating_add(series.all_events());
        }
        templates.retain(|name, _| !compared.except.iter().any(|except| except == name));
        let counts: Vec<(u64, u64)> = templates.into_values().collect();
        let (canary, baseline) = totals(&counts);
        if canary.min(baseline) < compared.lines.max(1) {
            return Err(format!("{canary} lines of the canary and {baseline} of the baseline are too few"));
        }
        let pooled = pool(&counts, canary, baseline, compared.least);
        let freedom = pooled.len().saturating_sub(1);
        // One template alone is alike whatever its volume.
        if freedom == 0 {
            return Ok(0.0);
        }
        let freedom = freedom as f64;
        Ok((g(&pooled, canary, baseline) - freedom) / (2.0 * freedom).sqrt())
    }
}

fn name(series: &Series) -> &str {
    series.replica.as_deref().unwrap_or_default()
}

fn totals(counts: &[(u64, u64)]) -> (u64, u64) {
    counts.iter().fold((0, 0), |(a, b), one| (a.saturating_add(one.0), b.saturating_add(one.1)))
}

/// What is expected too seldom, together.
fn pool(counts: &[(u64, u64)], canary: u64, baseline: u64, least: f64) -> Vec<(u64, u64)> {
    let share = canary.min(baseline) as f64 / (canary as f64 + baseline as f64);
    let expected = |(a, b): &(u64, u64)| (*a as f64 + *b as f64) * share;
    let (mut often, seldom): (Vec<_>, Vec<_>) = counts.iter().copied().partition(|one| expected(one) >= least);
    let rest = totals(&seldom);
    if rest != (0, 0) {
        often.push(rest);
    }
    often
}

/// The statistic of the G-test of homogeneity: 2 Σ observed · ln(observed / expected).
fn g(counts: &[(u64, u64)], canary: u64, baseline: u64) -> f64 {
    let (canary, baseline) = (canary as f64, baseline as f64);
    let all = canary + baseline;
    let part = |observed: f64, expected: f64| if observed > 0.0 { observed * (observed / expected).ln() } else { 0.0 };
    let terms = counts.iter().map(|(a, b)| {
        let (a, b) = (*a as f64, *b as f64);
        part(a, (a + b) * canary / all) + part(b, (a + b) * baseline / all)
    });
    2.0 * terms.sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use davy_plugin::{Data, Outcome};

    fn logs(canary: &[u64], baseline: &[u64]) -> Observed {
        let mut seen = Observed::minutes(1);
        for (index, (a, b)) in canary.iter().zip(baseline).enumerate() {
            let template = format!("t{index}");
            if *a > 0 {
                seen = seen.with("lines", Some(&template), Data::Events(vec![*a]));
            }
            if *b > 0 {
                seen = seen.with_baseline("lines", Some(&template), Data::Events(vec![*b]));
            }
        }
        seen
    }

    fn score(parameters: &str, canary: &[u64], baseline: &[u64]) -> Result<f64, String> {
        evaluate(parameters, &logs(canary, baseline)).map(|outcome| match outcome {
            Outcome::Value(value) => value,
            Outcome::Counts(_) => f64::NAN,
        })
    }

    #[test]
    fn the_statistic_is_that_of_scipy() {
        // scipy.stats.chi2_contingency([[30, 50, 20], [300, 420, 280]], correction=False, lambda_="log-likelihood")
        let statistic = g(&[(30, 300), (50, 420), (20, 280)], 100, 1000);
        assert!((statistic - G_OF_SCIPY).abs() < 1e-9, "{statistic}");
        let expected = (G_OF_SCIPY - 2.0) / 2.0;
        assert!((score("{}", &[30, 50, 20], &[300, 420, 280]).unwrap_or(f64::NAN) - expected).abs() < 1e-9);
    }

    const G_OF_SCIPY: f64 = 3.629_098_835_029_852_3;

    #[test]
    fn logs_alike_score_low_whatever_their_volume() {
        let alike = score("{}", &[30, 50, 20], &[3000, 5000, 2000]);
        assert!(alike.as_ref().is_ok_and(|score| *score < 0.0), "{alike:?}");
    }

    #[test]
    fn a_template_that_is_new_raises_the_score() {
        let new = score("{}", &[300, 500, 40], &[3000, 5000, 0]);
        assert!(new.as_ref().is_ok_and(|score| *score > 50.0), "{new:?}");
        let excepted = score(r#"{ "except": ["t2"] }"#, &[300, 500, 40], &[3000, 5000, 0]);
        assert!(excepted.as_ref().is_ok_and(|score| *score < 1.0), "{excepted:?}");
    }

    #[test]
    fn many_templates_that_are_seen_once_are_no_anomaly() {
        let (mut canary, mut baseline) = (vec![500, 500], vec![500, 500]);
        // Each cohort has fifty templates that the other lacks.
        for index in 0..100 {
            canary.push(index % 2);
            baseline.push(1 - index % 2);
        }
        let score = score("{}", &canary, &baseline);
        assert!(score.as_ref().is_ok_and(|score| *score < 1.0), "{score:?}");
    }

    #[test]
    fn short_logs_say_nothing() {
        let few = score("{}", &[10], &[1000]);
        assert_eq!(few, Err("10 lines of the canary and 1000 of the baseline are too few".to_owned()));
        assert_eq!(score("{}", &[100], &[100]), Ok(0.0), "one template alone is alike");
    }
}
