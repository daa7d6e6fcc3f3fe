//! Carts that were abandoned, of all that ended: counts, so that they enter davy's statistical guarantee.
//!
//! A cart counts when it ends, in the interval in which it does: paid, or abandoned after the shop's own timeout. So an
//! interval never waits for another, and each is folded once.

use davy_plugin::{Counts, Observed, metric, parameters};

parameters! {
    /// Which carts are counted.
    pub struct Counted {
        /// Whether carts that were taken up again still count as abandoned.
        restored: bool = false,
    }
}

metric! {
    name: "cart-abandonment", measures: counts, window: 1,
    summary: "Carts that were abandoned, of all carts that ended",
    inputs: {
        paid: events "Carts that were paid",
        abandoned: events "Carts that timed out",
        restored: events optional "Carts that had timed out and were taken up again",
        bots: events optional "Carts of known robots that timed out",
    },
    fn evaluate(counted: &Counted, seen: &Observed) -> Result<Counts, String> {
        let of = |input: &str| seen.latest_events(input);
        let paid = of("paid").ok_or("payments were not observed")?;
        let abandoned = of("abandoned").ok_or("timeouts were not observed")?;
        let back = if counted.restored { 0 } else { of("restored").unwrap_or(0) };
        // Carts of earlier intervals may come back in this one; fewer than none were not abandoned.
        let bad = abandoned.saturating_sub(of("bots").unwrap_or(0)).saturating_sub(back);
        Ok(Counts { bad, total: paid.saturating_add(bad) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carts(paid: u64, abandoned: u64) -> Observed {
        Observed::minutes(1).events("paid", &[paid]).events("abandoned", &[abandoned])
    }

    fn counts(bad: u64, total: u64) -> Result<davy_plugin::Outcome, String> {
        Ok(Counts { bad, total }.into())
    }

    #[test]
    fn the_abandoned_are_counted_of_all_that_ended() {
        assert_eq!(evaluate("{}", &carts(30, 70)), counts(70, 100));
        assert_eq!(evaluate("{}", &carts(0, 0)), counts(0, 0), "an interval without carts is no fault");
    }

    #[test]
    fn carts_that_came_back_and_robots_are_left_out() {
        let seen = carts(30, 70).events("restored", &[5]).events("bots", &[40]);
        assert_eq!(evaluate("{}", &seen), counts(25, 55));
        assert_eq!(evaluate(r#"{ "restored": true }"#, &seen), counts(30, 60));
        assert_eq!(evaluate("{}", &carts(3, 2).events("restored", &[9])), counts(0, 3), "never fewer than none");
    }

    #[test]
    fn the_share_never_exceeds_the_whole() {
        for (paid, abandoned) in [(0, u64::MAX), (u64::MAX, 1), (u64::MAX, u64::MAX)] {
            let measured = evaluate("{}", &carts(paid, abandoned));
            assert!(matches!(measured, Ok(davy_plugin::Outcome::Counts(all)) if all.bad <= all.total));
        }
    }

    #[test]
    fn what_was_not_observed_is_no_zero() {
        let seen = Observed::minutes(1).events("paid", &[1]);
        assert_eq!(evaluate("{}", &seen), Err("timeouts were not observed".to_owned()));
        assert!(evaluate(r#"{ "abandonAfter": 5 }"#, &carts(1, 1)).is_err(), "unknown parameters are refused");
    }
}
