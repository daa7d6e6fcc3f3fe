//! The examples of `plugins/examples` as components, and the step in C: `plugins/build` makes them and `DAVY_GUESTS` says
//! where they are. What they measure and expect, their own native tests say in full.

use std::path::Path;

use davy::plugin::{
    Data, Measured, MetricInput, MetricPlugin, Series, StepAction, StepConclusion, StepEvent, StepOutcome, StepPlugin,
    StepResponse, StepSituation,
};
use davy::{Buckets, Count, Duration, Instant, Name};
use davy_plugins::{Limits, PluginHost, World, build};

const BASE: &str = "https://shop.example/v1";

/// Runs `test` with the host and the component of this name, where it was built.
fn with(name: &str, test: impl FnOnce(&PluginHost, &[u8])) {
    let Some(folder) = std::env::var_os("DAVY_GUESTS") else {
        eprintln!("SKIPPED: {name}: DAVY_GUESTS names no folder; `plugins/build` makes one");
        return;
    };
    let Ok(module) = std::fs::read(Path::new(&folder).join(format!("{name}.wasm"))) else {
        eprintln!("SKIPPED: {name}: not built");
        return;
    };
    let world = build::world_of(&module).unwrap_or_else(|error| panic!("{name}: {error}"));
    let component = build::component(&module, world).unwrap_or_else(|error| panic!("{name}: {error}"));
    test(&PluginHost::new().unwrap(), &component);
    eprintln!("{name}: {} bytes, ran as a component", component.len());
}

/// One input's data, of one replica where it has a name.
type Seen<'a> = (&'a str, Option<&'a str>, Data<'a>);

/// What the example measures.
fn measures(name: &str, parameters: &str, seen: &[Seen<'_>], baseline: &[Seen<'_>], check: impl Fn(Measured)) {
    with(&format!("examples/{name}"), |host, component| {
        let plugin = host.plugin(component).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((plugin.description().name.as_str(), plugin.description().world), (name, World::Metric));
        let given: serde_json::Value = serde_json::from_str(parameters).unwrap();
        assert!(plugin.description().schema.check(given.as_object().unwrap()).is_empty(), "{name}");
        let names = |all: &[Seen<'_>]| -> Vec<(Name, Option<Name>)> {
            all.iter()
                .map(|(input, replica, _)| (input.parse().unwrap(), replica.map(|one| one.parse().unwrap())))
                .collect()
        };
        let (own, beside) = (names(seen), names(baseline));
        let window = plugin.description().window;
        let input = MetricInput {
            parameters,
            start: Instant::EPOCH,
            every: Duration::from_minutes(1),
            window,
            series: series(seen, &own, window),
            baseline: series(baseline, &beside, window),
        };
        let evaluated = plugin.metric().unwrap().evaluate(&input);
        assert!(evaluated.fuel > Some(0), "{name}");
        check(evaluated.result.unwrap_or_else(|none| panic!("{name}: {none:?}")));
    });
}

fn series<'a>(seen: &[Seen<'a>], names: &'a [(Name, Option<Name>)], window: u32) -> Vec<Series<'a>> {
    let one = |((_, _, data), (input, replica)): (&Seen<'a>, &'a (Name, Option<Name>))| Series {
        input,
        replica: replica.as_ref(),
        at: (0..window).collect(),
        data: data.clone(),
    };
    seen.iter().zip(names).map(one).collect()
}

fn events(count: u32) -> Data<'static> {
    Data::Events(vec![Count::from(count)])
}

#[test]
fn a_plugin_in_rust_is_called_without_growing_its_memory() {
    with("examples/apdex", |_, component| {
        // Loading asks for the description: with less than the memory that it begins with it fails.
        let within = |pages: usize| {
            let mut limits = Limits::DEFAULT;
            limits.memory = pages << 16;
            PluginHost::builder().limits(limits).build().unwrap().plugin(component).ok()
        };
        let plugin = (17..40).find_map(within).expect("it begins with a megabyte of stack and an arena");
        let buckets = Buckets::new(vec![(3.0, Count::from(60)), (12.0, Count::from(90))], Count::from(100)).unwrap();
        let latency: Name = "latency".parse().unwrap();
        let window = plugin.description().window;
        let one = || Series {
            input: &latency,
            replica: None,
            at: (0..window).collect(),
            data: Data::Buckets(vec![&buckets; window as usize]),
        };
        let input = MetricInput {
            parameters: r#"{ "target": 3 }"#,
            start: Instant::EPOCH,
            every: Duration::from_minutes(1),
            window,
            series: (0..500).map(|_| one()).collect(),
            baseline: Vec::new(),
        };
        assert_eq!(plugin.metric().unwrap().evaluate(&input).result, Ok(Measured::Value(0.75)));
    });
}

#[test]
fn each_metric_measures_as_a_component_what_it_measures_natively() {
    let value = |expected: f64| move |measured: Measured| assert_eq!(measured, Measured::Value(expected));
    let buckets = Buckets::new(vec![(3.0, Count::from(60)), (12.0, Count::from(90))], Count::from(100)).unwrap();
    measures("apdex", r#"{ "target": 3 }"#, &[("latency", None, Data::Buckets(vec![&buckets]))], &[], value(0.75));

    let carts = [("paid", None, events(30)), ("abandoned", None, events(70))];
    let of_all = |measured: Measured| assert_eq!(measured, Measured::Counts { bad: 70, total: 100 });
    measures("cart-abandonment", "{}", &carts, &[], of_all);

    let depth = [("depth", None, Data::Gauge(vec![10.0, 13.0, 16.0, 19.0, 22.0]))];
    measures("queue-forecast", r#"{ "capacity": 100, "minutes": 5 }"#, &depth, &[], value(0.37));

    let lines = |counts: [u32; 3]| -> Vec<Seen<'static>> {
        let names = ["t0", "t1", "t2"].into_iter().zip(counts).filter(|(_, count)| *count > 0);
        names.map(|(name, count)| ("lines", Some(name), events(count))).collect()
    };
    let unlike =
        |measured: Measured| assert!(matches!(measured, Measured::Value(score) if score > 50.0), "{measured:?}");
    measures("log-anomaly", "{}", &lines([300, 500, 40]), &lines([3000, 5000, 0]), unlike);
}

/// An answer: its status, the header `link` where it has one, and its body.
type Answer<'a> = (u16, &'a str, &'a str);

/// The requests of the step, as methods, URLs and bodies, and how it ended, a minute after 1970 began.
fn takes(
    name: &str,
    parameters: &str,
    answers: &[Answer<'_>],
    check: impl Fn(&[(String, String, String)], &StepConclusion),
) {
    with(name, |host, component| {
        let plugin = host.plugin(component).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(plugin.description().world, World::ProbeStep, "{name}");
        let step = plugin.step().unwrap();
        let (mut state, mut sent, mut answers) = (Vec::new(), Vec::new(), answers.iter());
        let mut headers: Vec<(String, String)> = Vec::new();
        let mut body = "";
        let mut status = None;
        loop {
            let situation = StepSituation {
                parameters,
                base_url: BASE,
                now: Instant::from_millis(59_000),
                random: 4,
                requests: u32::try_from(sent.len()).unwrap(),
            };
            let event = match status {
                None => StepEvent::Begin,
                Some(status) => StepEvent::Answered(StepResponse {
                    status,
                    headers: &headers,
                    body: body.as_bytes(),
                    truncated: false,
                    duration: Duration::from_millis(5),
                }),
            };
            let turned = step.turn(&situation, &state, &event);
            match turned.result.unwrap_or_else(|none| panic!("{name}: {none:?}")) {
                StepAction::Done(conclusion) => return check(&sent, &conclusion),
                StepAction::Send { state: next, request } => {
                    sent.push((request.method, request.url, String::from_utf8(request.body).unwrap()));
                    state = next;
                }
            }
            let (next, link, text) = answers.next().unwrap_or_else(|| panic!("{name} asks for more: {sent:?}"));
            (status, body) = (Some(*next), *text);
            let links = Some(*link).filter(|link| !link.is_empty());
            headers = links.map(|link| ("link".to_owned(), link.to_owned())).into_iter().collect();
        }
    });
}

fn outcomes(conclusion: &StepConclusion) -> Vec<StepOutcome> {
    conclusion.checks.iter().map(|check| check.outcome).collect()
}

fn captured<'a>(conclusion: &'a StepConclusion, name: &str) -> Option<&'a str> {
    let found = conclusion.captures.iter().find(|capture| capture.name == name);
    found.map(|capture| capture.value.as_str())
}

#[test]
fn each_step_asks_and_expects_as_a_component_what_it_does_natively() {
    let passes = |conclusion: &StepConclusion| outcomes(conclusion).iter().all(|one| *one == StepOutcome::Pass);
    // RFC 6238, appendix B: at 59 seconds.
    let login = r#"{ "user": "ana", "password": "p", "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "digits": 8 }"#;
    takes("examples/totp-login", login, &[(200, "", r#"{ "session": "s1" }"#)], |sent, conclusion| {
        assert!(sent[0].2.contains("94287082"), "{sent:?}");
        assert!(passes(conclusion) && captured(conclusion, "session") == Some("s1"), "{conclusion:?}");
    });

    let signed = r#"{ "url": "../file?X-Amz-Signature=abc" }"#;
    let answers = [(200, "", signed), (200, "", ""), (403, "", ""), (403, "", "")];
    takes("examples/signed-url", r#"{ "path": "/download" }"#, &answers, |sent, conclusion| {
        assert!(passes(conclusion), "{conclusion:?}");
        assert_eq!(sent[1].1, "https://shop.example/file?X-Amz-Signature=abc");
    });

    let errors = r#"{ "errors": [{ "message": "no stock" }], "data": null }"#;
    takes("examples/graphql-errors", r#"{ "query": "{ cart }" }"#, &[(200, "", errors)], |sent, conclusion| {
        assert_eq!((sent[0].0.as_str(), sent[0].1.as_str()), ("POST", "/graphql"));
        assert!(outcomes(conclusion).contains(&StepOutcome::Fail), "{conclusion:?}");
    });

    let pages = [
        (200, r#"<?page=2>; rel="next""#, r#"{ "items": [{ "id": 1 }] }"#),
        (200, "", r#"{ "items": [{ "id": 2 }] }"#),
    ];
    takes("examples/pagination-walk", r#"{ "path": "/items" }"#, &pages, |sent, conclusion| {
        assert_eq!(sent[1].1, "https://shop.example/v1/items?page=2");
        assert!(passes(conclusion) && captured(conclusion, "items") == Some("2"), "{conclusion:?}");
    });

    takes("steps/c", r#"{ "path": "/ready" }"#, &[(204, "", "")], |sent, conclusion| {
        assert!(passes(conclusion) && sent[0].1 == "/ready", "{sent:?} {conclusion:?}");
    });
    takes("steps/c", "{}", &[(503, "", "")], |sent, conclusion| {
        assert_eq!((sent[0].1.as_str(), conclusion.checks[0].actual.as_str()), ("/", "503"));
        assert_eq!(outcomes(conclusion), [StepOutcome::Fail]);
    });
}
