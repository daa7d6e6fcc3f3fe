//! The table of a simulation, for people and for programs. The same rows give the same bytes.

use davy::Digest;
use serde::Serialize;

use super::summary::{Rate, Row};
use crate::error::Error;

/// What was simulated, and what came out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    pub(super) service: String,
    pub(super) environment: String,
    pub(super) policy: Digest,
    pub(super) seed: u64,
    pub(super) runs: u32,
    /// The length of one interval, and the time that is watched, in seconds.
    pub(super) every: f64,
    pub(super) horizon: f64,
    /// The baseline's share of errors.
    pub(super) errors: f64,
    pub(super) latency: String,
    pub(super) rows: Vec<Row>,
}

const HEAD: [&str; 9] =
    ["req/s", "scenario", "judge", "aborted %", "95 % interval", "median min", "planned", "promoted %", "median min"];

impl Report {
    /// Columns for a terminal.
    pub(super) fn text(&self) -> String {
        let rows: Vec<[String; 9]> = self.rows.iter().map(cells).collect();
        let head = HEAD.map(str::to_owned);
        let all = || std::iter::once(&head).chain(&rows);
        let widths: Vec<usize> = (0..HEAD.len())
            .map(|column| all().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0))
            .collect();
        let mut text = format!("{}\n\n", self.title());
        for row in all() {
            let line: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            text.push_str(line.join("  ").trim_end());
            text.push('\n');
        }
        text.push_str(&format!("\n{LEGEND}\n"));
        text
    }

    /// A table for a page.
    pub(super) fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let mut text = format!("{}\n\n{}", self.title(), line(&HEAD.map(str::to_owned)));
        text.push_str(&format!("|{}\n", "---|".repeat(HEAD.len())));
        self.rows.iter().for_each(|row| text.push_str(&line(&cells(row))));
        text.push_str(&format!("\n{LEGEND}\n"));
        text
    }

    /// One line per row, all numbers in full.
    pub(super) fn csv(&self) -> String {
        let mut text = "traffic,scenario,good,judge,runs,aborted,abortedLow,abortedHigh,medianAbortSeconds,plannedAbortSeconds,promoted,\
                        promotedLow,promotedHigh,medianPromotionSeconds,inconclusive\n"
            .to_owned();
        let time = |seconds: Option<f64>| seconds.map_or_else(String::new, |seconds| seconds.to_string());
        let rate = |rate: &Rate| format!("{},{:.6},{:.6}", rate.rollouts, rate.low, rate.high);
        for row in &self.rows {
            text.push_str(&format!(
                "{},{},{},\"{}\",{},{},{},{},{},{},{}\n",
                row.traffic,
                row.scenario,
                row.good,
                row.judge,
                row.runs,
                rate(&row.aborted),
                time(row.median_abort),
                time(row.planned_abort),
                rate(&row.promoted),
                time(row.median_promotion),
                row.inconclusive
            ));
        }
        text
    }

    /// Everything.
    pub(super) fn json(&self) -> Result<String, Error> {
        Ok(format!("{}\n", serde_json::to_string_pretty(self)?))
    }

    fn title(&self) -> String {
        format!(
            "{} in {}: {} rollouts a cell, seed {}, {} % errors, {} latency, intervals of {} s, watched for {} min",
            self.service,
            self.environment,
            self.runs,
            self.seed,
            number(100.0 * self.errors),
            self.latency,
            self.every,
            number(self.horizon / 60.0)
        )
    }
}

const LEGEND: &str = "Of a good canary every abort is false; of another every promotion is wrong. Times are medians over all rollouts, from the first interval \
with the effect; `-` where not half of them came to it, or where nothing is planned.";

fn cells(row: &Row) -> [String; 9] {
    let percent = |share: f64| format!("{:.2}", 100.0 * share);
    let minutes = |seconds: Option<f64>| seconds.map_or_else(|| "-".to_owned(), |seconds| number(seconds / 60.0));
    let good = if row.good { "good: " } else { "" };
    [
        number(row.traffic),
        format!("{good}{}", row.scenario),
        row.judge.to_owned(),
        percent(row.aborted.share),
        format!("{} to {}", percent(row.aborted.low), percent(row.aborted.high)),
        minutes(row.median_abort),
        minutes(row.planned_abort),
        percent(row.promoted.share),
        minutes(row.median_promotion),
    ]
}

fn number(number: f64) -> String {
    let rounded = (number * 100.0).round() / 100.0;
    rounded.to_string()
}
