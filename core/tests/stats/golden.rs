//! The bits of evidence, the same in every build and on every platform.
//!
//! If one of these changes, decisions that were recorded can no longer be replayed: bump the semantics, and say so in
//! the changelog.

use std::num::NonZeroU32;

use davy::Count;
use davy::stats::published::{CdfBand, FixedSplit};
use davy::stats::{
    Exposed, Forecast, Gauge, GaugeTest, Grid, GroupSequential, KnownRateTest, KnownShareTest, Latency, LatencyPlan,
    ODDS, OddsTest, Process, RATIOS, RatioGrid, RatioRange, RatioTest, SLOW_SHARES, Sides, Spending, Starts, Weights,
    noninferior_ratio,
};

use crate::{arm, pair};

const GOLDEN: &[(&str, u64)] = &[
    ("ratio 0", 0x3fdb_dde4_2c20_6e39),
    ("ratio 1", 0x3fef_f8f4_e1ca_df4d),
    ("ratio 2", 0x3ffc_205e_f02c_34b5),
    ("ratio 3", 0x4006_9d62_f72d_96ee),
    ("ratio 4", 0x400f_f5c3_af85_eb79),
    ("ratio 5", 0x4012_d4c8_3085_3878),
    ("ratio 6", 0x400e_6db6_d6a8_bb30),
    ("ratio 7", 0xc00a_d8e9_1236_cea8),
    ("health 0", 0xc00c_9f18_d0ff_64d0),
    ("health 1", 0xbffd_0c2f_dd1c_03d9),
    ("health 2", 0xbff2_9e88_2379_3a07),
    ("odds 0", 0x3fcd_7bdc_399a_ba59),
    ("odds 1", 0x3fdc_a000_f648_72ef),
    ("odds 2", 0x3feb_0eab_e15a_7062),
    ("odds 3", 0x3ff5_e372_6d87_5e5f),
    ("odds 4", 0x4000_ac91_df1d_bb72),
    ("odds 5", 0x4007_94f6_90eb_8ed7),
    ("odds 6", 0x4010_f63e_25b8_a72c),
    ("odds 7", 0x4015_4da3_9e71_858e),
    ("odds 8", 0x400c_cd9c_6c6d_8ce0),
    ("odds of health 0", 0xc02e_16d4_4c5e_b717),
    ("odds of health 1", 0xc023_5be7_a0d7_70d4),
    ("odds of health 2", 0xc016_f56f_9b8e_8950),
    ("odds of health 3", 0xc00c_3012_67ab_3812),
    ("odds of health 4", 0xc002_c37b_b585_8478),
    ("odds of health 5", 0xbff7_94a1_1d99_3371),
    ("odds of health 6", 0xbfec_4d79_cc6d_51eb),
    ("odds of health 7", 0xbfdd_4e06_1227_57fc),
    ("odds of health 8", 0xbfcd_d708_2e21_7e69),
    ("share 0", 0x3fdf_cd2f_978c_53d0),
    ("share 1", 0x3ff2_6cef_2f99_ff46),
    ("share 2", 0x4000_7844_d4d1_4875),
    ("share 3", 0x400b_4d05_9078_18f2),
    ("share 4", 0x4014_6d08_395b_ed5b),
    ("share 5", 0x401a_dc3c_5b04_95d4),
    ("share 6", 0x401d_68a2_bfdc_03b7),
    ("share 7", 0x3ff4_f1bc_c41b_8e70),
    ("rate 0", 0x3fd8_995f_35da_6a2f),
    ("rate 1", 0x3feb_d7f3_ab67_e734),
    ("rate 2", 0x3ff7_ecb5_e31f_6472),
    ("rate 3", 0x4002_4564_7e77_56e6),
    ("rate 4", 0x4006_bbbf_7007_091e),
    ("rate 5", 0x4001_40c5_e7c8_a798),
    ("rate 6", 0xc008_79d5_99c0_017c),
    ("rate 7", 0xc040_fbe1_629b_8f86),
    ("evidence 0", 0x4082_5570_9091_4416),
    ("evidence 1", 0x407d_9150_63fc_82e2),
    ("evidence 2", 0x3f4b_f472_0941_169f),
    ("evidence 3", 0x3fce_96d3_897d_b8d0),
    ("evidence 4", 0x3fab_e892_190d_97dd),
    ("evidence at thresholds 0", 0x3fca_7838_651c_3153),
    ("evidence at thresholds 1", 0x3fca_5dba_88be_7786),
    ("evidence at thresholds 2", 0x3fca_9e96_9803_ef54),
    ("evidence at thresholds 3", 0x3fcd_4d19_f241_9d69),
    ("evidence at thresholds 4", 0x3fd6_183f_1baa_333e),
    ("average 0", 0x4076_8dce_2749_a8fc),
    ("limits 0", 0x3ff3_06fe_0a31_b715),
    ("limits 1", 0x4006_a09e_667f_3bcd),
    ("beyond the margin 0", 0xbfa1_3554_3bbc_2bfa),
    ("group-sequential 0", 0x3f7a_06a9_8239_1ccc),
    ("group-sequential 1", 0x40a3_c400_0000_0000),
    ("published 0", 0x3fb6_964c_5c5e_b74a),
    ("published 1", 0x3ff4_fa83_c8a1_f6d0),
];

fn computed() -> Vec<(String, f64)> {
    let mut all = Vec::new();
    let mut note = |name: &str, values: &[f64]| {
        all.extend(values.iter().enumerate().map(|(index, value)| (format!("{name} {index}"), *value)));
    };
    let grid = Grid::new(RATIOS).unwrap();
    let harm = RatioTest::new(grid.clone(), 1.1).unwrap();
    let health = noninferior_ratio(1.5).unwrap();
    let odds = OddsTest::new(Grid::new(ODDS).unwrap());
    let seen = pair((6, 75), (19, 1425));
    note("ratio", harm.increment(&seen).logs());
    note("health", health.increment(&seen).logs());
    note("odds", odds.increment(&seen, Forecast::new(0.013).unwrap()).logs());
    note("odds of health", odds_of_health().increment(&seen, Forecast::new(0.013).unwrap()).logs());
    note("share", KnownShareTest::new(grid.clone(), 0.01).unwrap().increment(arm(6, 75)).logs());
    let exposed = Exposed::new(Count::from(6), 0.75).unwrap();
    note("rate", KnownRateTest::new(grid, 2.5).unwrap().increment(exposed).logs());

    let planned = NonZeroU32::new(20).unwrap();
    let plan = LatencyPlan::new(odds, Starts::Open(planned));
    let (mut within, mut open, mut good) = (Process::new(), Process::new(), Process::new());
    let (mut latency, mut range, ratios) =
        (Latency::new(&SLOW_SHARES).unwrap(), RatioRange::new(), RatioGrid::quarter_doublings());
    let gauge_test = GaugeTest::new(0.03, 0.05, 20).unwrap();
    let mut gauge = Gauge::default();
    let spending = Spending::new("1%".parse().unwrap(), [0.1875; 60]).unwrap();
    let mut group = GroupSequential::new();
    let mut boundaries = 0;
    for interval in 0..60_u64 {
        let (canary, baseline) = (70 + interval * 7 % 11, 1400 + interval * 13 % 101);
        let bad = (interval * 5 % 4, interval * 31 % 17 + 8);
        let seen = pair((bad.0, canary), (bad.1, baseline));
        within.fold(Starts::Within(planned), &harm.increment(&seen));
        open.fold(Starts::Open(planned), &harm.increment(&seen));
        good.fold(Starts::First, &health.increment(&seen));
        let slow = [2, 4, 9, 18, 70].map(|rarer| pair((canary / rarer, canary), (baseline / rarer, baseline)));
        latency.fold(&plan, &slow);
        range.fold(&ratios, &seen);
        gauge.fold(&gauge_test, 0.5 + 0.01 * bad.0 as f64, 0.5);
        boundaries += group.look(&spending, &seen).unwrap().boundary.unwrap_or_default();
    }
    let evidence = [
        within.e(Starts::Within(planned)),
        open.e(Starts::Open(planned)),
        good.e(Starts::First),
        latency.e(&plan),
        gauge.e(&gauge_test),
    ];
    note("evidence", &evidence);
    note("evidence at thresholds", &latency.at_thresholds(&plan).collect::<Vec<_>>());
    note("average", &[Weights::new([3.0, 2.0, 1.0, 1.0, 0.5]).unwrap().average(evidence)]);
    let limits = range.limits(&ratios, "90%".parse().unwrap());
    note("limits", &[limits.above.unwrap_or(0.0), limits.below.unwrap_or(0.0)]);
    note("beyond the margin", &[gauge.beyond_margin(&gauge_test, 0.05).unwrap()]);
    note("group-sequential", &[spending.as_slice()[30], boundaries as f64]);
    note(
        "published",
        &[
            CdfBand::new(0.01, 32.0, 0.85).unwrap().radius(1000.0),
            FixedSplit::new(0.2, 20.0, 80.0).unwrap().log_e(Count::from(8), Count::from(4), Sides::One),
        ],
    );
    all
}

fn odds_of_health() -> OddsTest<9> {
    OddsTest::new(Grid::new(ODDS).unwrap().reciprocals())
}

#[test]
fn the_bits_of_evidence_never_change() {
    let computed: Vec<(String, u64)> = computed().into_iter().map(|(name, value)| (name, value.to_bits())).collect();
    let differing: Vec<_> = computed
        .iter()
        .enumerate()
        .filter(|(index, (name, bits))| GOLDEN.get(*index) != Some(&(name.as_str(), *bits)))
        .map(|(_, (name, bits))| format!("    (\"{name}\", {bits:#018x}),"))
        .collect();
    assert!(differing.is_empty() && computed.len() == GOLDEN.len(), "\n{}", differing.join("\n"));
}
