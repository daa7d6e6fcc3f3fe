//! Plugins that misbehave: each is refused or fails by name, within its limits, and harms nobody.

use std::time::{Duration, Instant};

use davy_plugins::{Limits, PluginError, PluginHost, World, build};

use crate::support::{comes_of, component, host, sections, sum};

fn corpus() -> Vec<(String, String, Vec<u8>)> {
    let modules = sections(include_str!("../hostile/corpus.wats"));
    let split = |(name, text): (String, String)| {
        let (name, expected) = name.rsplit_once(": ").unwrap_or_else(|| panic!("{name}"));
        let bytes = component(&text);
        (name.to_owned(), expected.to_owned(), bytes)
    };
    modules.into_iter().map(split).collect()
}

#[test]
fn each_gives_its_typed_error_and_the_next_call_is_unharmed() {
    let host = host();
    let sum = sum();
    // Kept, so that it is compiled once.
    let _loaded = host.plugin(&sum).unwrap();
    let modules = corpus();
    assert!(modules.len() >= 80, "{}", modules.len());
    let mut wrong = Vec::new();
    for (name, expected, bytes) in modules {
        let began = Instant::now();
        let found = comes_of(&host, &bytes);
        if !expected.split(" or ").any(|expected| expected == found) {
            wrong.push(format!("{name}: expected {expected}, found {found}"));
        }
        // Deadlines are a second; debug builds compile slowly.
        assert!(began.elapsed() < Duration::from_secs(20), "{name} took {:?}", began.elapsed());
        assert_eq!(comes_of(&host, &sum), "6", "after {name}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn bytes_that_are_no_component_are_refused() {
    let host = host();
    let refused = |bytes: &[u8]| host.plugin(bytes).unwrap_err().to_string()[..4].to_owned();
    assert_eq!(refused(b""), "W005");
    assert_eq!(refused(b"(component)"), "W005", "text is no component");
    assert_eq!(refused(b"\0asm"), "W005");
    assert_eq!(refused(b"\x7fELF\x02\x01\x01"), "W004");
    let whole = sum();
    for end in [8, 9, whole.len() / 2, whole.len() - 1] {
        let code = refused(&whole[..end]);
        assert!(["W006", "W008"].contains(&code.as_str()), "cut at {end}: {code}");
    }
}

#[test]
fn compile_bombs_are_refused_by_their_size() {
    let data = "x".repeat(Limits::DEFAULT.component);
    let bytes =
        wat::parse_str(format!("(component (core module (memory 100) (data (i32.const 0) \"{data}\")))")).unwrap();
    assert!(matches!(host().plugin(&bytes), Err(PluginError::TooLarge { .. })), "{}", bytes.len());
}

/// Components with so many instances, tables and memories, whose first memory has so many pages.
fn parts(instances: usize, tables: usize, memories: usize, pages: u32) -> Vec<u8> {
    let of = |count: usize, kind: &str, made: &str| -> String {
        let instances: String = (0..count).map(|_| format!("(core instance (instantiate ${kind}))")).collect();
        format!("(core module ${kind} {made}) {instances}")
    };
    let text = format!(
        "(component {} {} {} (core module $first (memory {pages})) (core instance (instantiate $first)))",
        of(instances, "plain", ""),
        of(tables, "table", "(table 1 funcref)"),
        of(memories, "memory", "(memory 1)")
    );
    wat::parse_str(text).unwrap()
}

#[test]
fn whoever_reaches_a_limit_is_told_the_way_out() {
    let pooled = host();
    let on_demand = PluginHost::builder().on_demand().build().unwrap();
    let told = |host: &PluginHost, bytes: &[u8]| host.plugin(bytes).unwrap_err().to_string();
    let many = "64 core instances, 64 tables and 8 memories: link its parts into fewer modules";
    for host in [&pooled, &on_demand] {
        for bytes in [parts(0, 65, 0, 1), parts(0, 0, 8, 1)] {
            let error = told(host, &bytes);
            assert!(error.starts_with("W018") && error.contains(many), "{error}");
        }
        // As many as there may be: it only is no plugin.
        assert!(told(host, &parts(40, 8, 7, 1)).starts_with("W008"));
    }
    let interpreters = PluginHost::builder().limits(Limits::INTERPRETERS).build().unwrap();
    if pooled.is_pooled() {
        assert!(told(&pooled, &parts(64, 0, 0, 1)).contains(many));
        let large = parts(0, 0, 0, 1500);
        let error = told(&pooled, &large);
        assert!(error.starts_with("W018") && error.contains("`Limits::memory`; `Limits::INTERPRETERS`"), "{error}");
        assert!(told(&interpreters, &large).starts_with("W008"), "there it has room");
    }
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    bytes.resize(Limits::DEFAULT.component + 1, 0);
    let error = told(&pooled, &bytes);
    assert!(error.contains("`Limits::component`") && error.contains("`--interpreters`"), "{error}");
    bytes.resize(Limits::INTERPRETERS.component + 1, 0);
    let error = told(&interpreters, &bytes);
    assert!(error.contains("`Limits::component`") && !error.contains("`--interpreters`"), "{error}");
    let (_, _, endless) = corpus().into_iter().find(|(name, ..)| name == "a description that never comes").unwrap();
    let error = told(&pooled, &endless);
    assert!(error.starts_with("W011") && error.contains("`Limits::fuel`; `Limits::INTERPRETERS`"), "{error}");
}

#[test]
fn thousands_of_exports_are_no_plugin_and_no_harm() {
    let exports: String = (0..5000).map(|number| format!("(export \"x{number}\" (instance $none))")).collect();
    let bytes = wat::parse_str(format!("(component (instance $none) {exports})")).unwrap();
    assert!(matches!(host().plugin(&bytes), Err(PluginError::NoWorld { .. } | PluginError::Invalid(_))));
}

#[test]
fn imports_are_refused_by_name() {
    let wasi = r#"(component (import "wasi:clocks/monotonic-clock@0.2.9" (instance)) (import "wasi:io/poll@0.2.9" (instance)))"#;
    let error = host().plugin(&wat::parse_str(wasi).unwrap()).unwrap_err().to_string();
    assert!(error.contains("`wasi:clocks/monotonic-clock@0.2.9`, `wasi:io/poll@0.2.9`"), "{error}");
    let other = r#"(component (instance $none) (export "davy:plugin/measure@0.2.0" (instance $none)))"#;
    let error = host().plugin(&wat::parse_str(other).unwrap()).unwrap_err().to_string();
    assert!(error.contains("`davy:plugin/measure@0.2.0`") && error.contains("0.1.0"), "{error}");
}

#[test]
fn a_deadline_is_a_fault_of_the_host() {
    let mut limits = Limits::DEFAULT;
    limits.fuel = u64::MAX / 2;
    limits.deadline = Duration::from_millis(50);
    let host = PluginHost::builder().limits(limits).build().unwrap();
    let began = Instant::now();
    assert_eq!(comes_of(&host, &component("@good @fn (loop $l (br $l)) (unreachable))")), "deadline");
    assert!(began.elapsed() < Duration::from_secs(15));
}

/// In a process of its own: what other tests hold would be counted too.
#[test]
fn ten_thousand_mixed_calls_leave_no_memory_behind() {
    if std::env::var_os("DAVY_ALONE").is_none() {
        let of = ["hostile::ten_thousand_mixed_calls_leave_no_memory_behind", "--exact"];
        let run = std::process::Command::new(std::env::current_exe().unwrap()).env("DAVY_ALONE", "1").args(of).output();
        let run = run.unwrap();
        return assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
    }
    let mut limits = Limits::DEFAULT;
    limits.fuel = 100_000;
    let host = PluginHost::builder().limits(limits).build().unwrap();
    let calls: Vec<_> = corpus()
        .into_iter()
        .filter(|(_, expected, _)| !expected.starts_with('W') && !expected.contains("deadline"))
        .map(|(_, _, bytes)| (bytes.clone(), host.plugin(&bytes).unwrap().metric().unwrap()))
        .collect();
    assert!(calls.len() > 30);
    let input = davy::plugin::MetricInput {
        parameters: "{}",
        start: davy::Instant::EPOCH,
        every: davy::Duration::from_secs(60),
        window: 1,
        series: Vec::new(),
        baseline: Vec::new(),
    };
    let run = |times: usize| {
        for number in 0..times {
            let (_, metric) = &calls[number % calls.len()];
            let _ = davy::plugin::MetricPlugin::evaluate(metric, &input);
        }
    };
    run(2_000);
    let Some(before) = resident() else { return };
    run(10_000);
    let after = resident().unwrap();
    assert!(after < before + (8 << 20), "{before} bytes before, {after} after");
}

/// Bytes of this process in memory, where the system tells.
fn resident() -> Option<usize> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    statm.split(' ').nth(1)?.parse::<usize>().ok().map(|pages| pages * 4096)
}

#[test]
fn what_does_not_fit_its_world_is_said_when_it_is_built() {
    let error = build::component(b"(module (func (export \"evaluate\")))", World::Metric).unwrap_err();
    assert!(error.to_string().starts_with("W021"), "{error}");
    assert!(build::component(b"(module", World::Metric).unwrap_err().to_string().starts_with("W020"));
}
