//! A host that makes mistakes gets errors, and the run goes on.

use std::sync::Arc;

use davy::probe::{
    CancelReason, Effect, EffectId, Event, FlowPart, Inputs, Next, ProbeError, ProbeRun, ProtocolError, SecretValue,
};
use davy::{Cohort, Duration, Instant, ProbeVerdict as Verdict};

use crate::host::{Host, answer, plan, start};

const TWO: &str = "  secrets: { t: env:T }\n  steps:\n    - { id: a, request: { path: /a, auth: { bearer: \"${secrets.t}\" } }, expect: { status: 200, body: { contains: x } } }\n    - { id: b, request: { path: /b }, expect: { status: 200, body: { contains: x } } }\n  teardown: [{ id: c, request: { path: /c }, expect: { status: 200 } }]\n";

fn begin() -> ProbeRun {
    ProbeRun::new(plan(TWO), Inputs::new("prod".parse().unwrap(), 1), start()).unwrap()
}

fn effect(run: &mut ProbeRun, now: Instant) -> (EffectId, Effect) {
    match run.poll(now) {
        Next::Effect(id, effect) => (id, effect),
        other => panic!("{other:?}"),
    }
}

#[test]
fn events_that_answer_nothing_are_refused() {
    let mut run = begin();
    let secret = || Event::Secret(SecretValue("a secret".to_owned()));
    assert_eq!(
        run.handle(start(), EffectId(0), secret()),
        Err(ProtocolError::NotUnderWay(EffectId(0))),
        "before it was asked"
    );
    let (id, _) = effect(&mut run, start());
    assert!(matches!(run.poll(start()), Next::Wait { inflight: 1, .. }), "asked once");
    assert_eq!(run.handle(start(), EffectId(9), secret()), Err(ProtocolError::NotUnderWay(EffectId(9))));
    assert_eq!(run.handle(start(), id, answer(200, "x")), Err(ProtocolError::WrongKind(id)));
    assert_eq!(run.handle(start(), id, secret()), Ok(()));
    assert_eq!(run.handle(start(), id, secret()), Err(ProtocolError::NotUnderWay(id)), "twice");
    let (id, _) = effect(&mut run, start());
    assert_eq!(run.handle(start(), id, secret()), Err(ProtocolError::WrongKind(id)));
    let late = start().plus(Duration::from_secs(6));
    assert_eq!(run.handle(late, id, answer(200, "x")), Err(ProtocolError::NotUnderWay(id)), "too late");
    let result = Host::new(|_, _| answer(200, "x")).finish(&mut run);
    assert_eq!(result.verdict, Verdict::Fail);
    assert_eq!(run.handle(late, id, answer(200, "x")), Err(ProtocolError::NotUnderWay(id)), "after the end");
    assert_eq!(run.poll(start()), Next::Done(Box::new(result)), "the end stays the end");
}

#[test]
fn time_that_goes_back_stands_still() {
    let mut run = begin();
    let later = start().plus(Duration::from_secs(3));
    let (id, _) = effect(&mut run, later);
    run.handle(start(), id, Event::Secret(SecretValue("a secret".to_owned()))).unwrap();
    let (_, Effect::Http(request)) = effect(&mut run, Instant::EPOCH) else { panic!() };
    assert_eq!(request.deadline, later.plus(Duration::from_secs(5)));
}

#[test]
fn a_run_that_is_cancelled_still_cleans_up() {
    for steps in 0..3 {
        let mut run = begin();
        let mut host = Host::new(|_, _| answer(200, "x"));
        for _ in 0..steps {
            let (id, asked) = effect(&mut run, host.now);
            let event = if matches!(asked, Effect::Http(_)) {
                answer(200, "x")
            } else {
                Event::Secret(SecretValue("a secret".to_owned()))
            };
            run.handle(host.now, id, event).unwrap();
        }
        if steps == 1 {
            effect(&mut run, host.now);
        }
        run.cancel(host.now, CancelReason::Stopping);
        run.cancel(host.now, CancelReason::Asked);
        let result = host.finish(&mut run);
        assert_eq!((result.verdict, result.reason.as_deref()), (Verdict::Skipped, Some("the prober stops")), "{steps}");
        assert_eq!(host.asked.len(), 1, "{steps}");
        assert!(result.steps.iter().any(|step| step.part == FlowPart::Teardown && step.verdict == Verdict::Pass));
        assert!(result.slos.is_empty());
    }
}

#[test]
fn a_secret_that_is_not_there_is_the_probers_fault() {
    for event in [Event::SecretFailed("no such variable".to_owned()), Event::Secret(SecretValue("abc".to_owned()))] {
        let mut run = begin();
        let (id, asked) = effect(&mut run, start());
        assert!(matches!(asked, Effect::Secret { .. }));
        run.handle(start(), id, event).unwrap();
        let result = Host::new(|_, _| answer(200, "x")).finish(&mut run);
        assert_eq!(result.verdict, Verdict::Error);
        assert!(result.reason.unwrap().contains("the secret `t`"));
    }
}

#[test]
fn what_a_flow_does_not_have_cannot_be_run() {
    let plan = plan(TWO);
    let error = ProbeRun::new(Arc::clone(&plan), Inputs::new("dev".parse().unwrap(), 1), start()).unwrap_err();
    assert_eq!(error.to_string(), "Q020: the flow `shop` has no target `dev`; it has `prod`");
    let mut inputs = Inputs::new("prod".parse().unwrap(), 1);
    inputs.cohort = Some(Cohort::Canary);
    assert!(matches!(ProbeRun::new(plan, inputs, start()), Err(ProbeError::Route { cohort: "canary", .. })));
}
