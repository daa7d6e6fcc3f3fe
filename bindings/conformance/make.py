"""Writes the questions of `cases.txt`: looks at releases, from tables and a seed. Rust answers them."""

import copy
import hashlib
import itertools
import json
import pathlib
import random

HERE = pathlib.Path(__file__).resolve().parent
START = 1_795_687_200  # 2026-11-26T10:00:00Z
RANDOM = random.Random(20261126)


def at(seconds):
    """An instant, so many seconds after the release began."""
    from datetime import datetime, timezone

    return datetime.fromtimestamp(START + seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def look(minutes, asked="keep", stage="canary", weight="5%", since=0, environment="prod", **more):
    """A snapshot without observations."""
    release = {
        "service": "shop",
        "environment": environment,
        "revision": "r2",
        "stable": "r1",
        "attempt": 1,
        "startedAt": at(0),
    }
    release.update(more.pop("release", {}))
    snapshot = {
        "now": at(int(minutes * 60)),
        "release": release,
        "asked": asked,
        "stage": stage,
        "weight": weight,
        "since": at(since * 60),
    }
    snapshot.update(more)
    return snapshot


def interval(slot, *observations):
    return {"start": at(30 * slot), "end": at(30 * slot + 30), "observations": list(observations)}


def counts(cohort, total, rate, metric="errors", **more):
    bad = sum(RANDOM.random() < rate for _ in range(total))
    return {"metric": metric, "cohort": cohort, "bad": bad, "total": total, **more}


def histogram(cohort, total, shift=0):
    buckets = {}
    for _ in range(total):
        index = round(RANDOM.gauss(-20, 4)) + shift
        buckets[index] = buckets.get(index, 0) + 1
    return {
        "metric": "latency",
        "cohort": cohort,
        "histogram": {"schema": 3, "zero": 0, "buckets": sorted(buckets.items())},
    }


def classic(cohort, total, slow):
    fast = total - int(total * slow)
    return {
        "metric": "search",
        "cohort": cohort,
        "buckets": {"atMost": [[0.1, fast // 2], [0.3, fast], [1, (fast + total) // 2]], "total": total},
    }


def traffic(slots, canary=200, rate=0.005, shift=0, slow=0.02, cpu=0.5, crashes=0, first=0):
    """Intervals in which the canary errs at `rate`, is `shift` buckets slower and `slow` in search."""
    return [
        interval(
            slot,
            counts("canary", canary, rate),
            counts("baseline", 4 * canary, 0.005),
            histogram("canary", canary // 4, shift),
            histogram("baseline", canary),
            classic("canary", canary // 2, slow),
            classic("baseline", 2 * canary, 0.02),
            {"metric": "cpu", "cohort": "canary", "gauge": round(cpu + RANDOM.random() / 20, 4)},
            {"metric": "crashes", "cohort": "canary", "events": crashes},
            {"metric": "crashes", "cohort": "baseline", "events": 0},
        )
        for slot in range(first, first + slots)
    ]


ASKED = ["start", {"advance": {"to": "25%"}}, "promote", "keep"]
PASSED = [{"environment": "staging", "revision": "r2", "at": at(-4 * 3600)}]
PROBED = [{"flow": "login", "cohort": "canary", "at": at(5 * 60), "verdict": "pass"}]
CASES = []


def case(name, bundle, snapshot, state=""):
    text = snapshot if isinstance(snapshot, str) else json.dumps(snapshot, separators=(",", ":"))
    CASES.append((name, bundle, state, text))


def word(asked):
    return asked if isinstance(asked, str) else "advance"


def whole_table():
    """asked × stage × what was seen, under each judge."""
    seen = {
        "healthy": {},
        "erring": {"rate": 0.08},
        "slow": {"shift": 6},
        "slow-search": {"slow": 0.4},
        "hot": {"cpu": 0.93},
        "crashing": {"crashes": 2},
        "thin": {"canary": 8},
    }
    for bundle, (asked, stage) in itertools.product(
        ["threshold", "evidence"], itertools.product(ASKED, ["canary", "live"])
    ):
        for name, how in seen.items():
            if bundle == "evidence" and name in ("hot", "crashing"):
                continue
            observed = traffic(11, **how)
            for one in observed if bundle == "evidence" else []:
                one["observations"] = [o for o in one["observations"] if o["metric"] not in ("cpu", "crashes")]
            snapshot = look(6, asked, stage, intervals=observed, passed=PASSED, probes=PROBED)
            case(f"{bundle}: {word(asked)} in {stage}, {name}", bundle, snapshot)
    for bundle, stage in itertools.product(["argo", "flagger"], ["canary", "live"]):
        for name, how in (("healthy", {}), ("erring", {"rate": 0.08}), ("hot", {"cpu": 0.93})):
            observed = traffic(12, **how)
            for one in observed:
                one["observations"] = [o for o in one["observations"] if o["metric"] in ("errors", "cpu")]
            case(f"{bundle}: keep in {stage}, {name}", bundle, look(7, "keep", stage, intervals=observed))


def missing_data():
    for missing in ("noData", "NaN", "+Inf", "-Inf", "noAnswer"):
        for metric in ("errors", "cpu"):
            observed = traffic(11)
            for one in observed[-4:]:
                one["observations"] = [o for o in one["observations"] if o["metric"] != metric]
                one["observations"].append({"metric": metric, "cohort": "canary", "missing": missing})
            snapshot = look(6, {"advance": {"to": "25%"}}, intervals=observed, passed=PASSED, probes=PROBED)
            case(f"threshold: {metric} is {missing}", "threshold", snapshot)
    case("threshold: no interval at all", "threshold", look(6, "promote", passed=PASSED))
    case("evidence: no interval at all", "evidence", look(6, "promote"))
    zero = traffic(11, canary=4)
    for one in zero:
        one["observations"] = [dict(o, bad=0, total=0) if "bad" in o else o for o in one["observations"]]
    case("threshold: no traffic", "threshold", look(6, {"advance": {"to": "25%"}}, intervals=zero, passed=PASSED))
    off = traffic(4)
    off[2]["start"], off[2]["end"] = at(65), at(95)
    case("threshold: an interval off the grid", "threshold", look(3, "keep", intervals=off))
    replicas = traffic(12)
    for one in replicas:
        one["observations"] = [
            dict(o, replica=f"pod-{pod}") for o in one["observations"] if o["metric"] == "errors" for pod in "abc"
        ]
    case("evidence: counts per replica", "evidence", look(7, "keep", intervals=replicas))


def gates_of_the_ramp():
    ramp = lambda **more: look(6, {"advance": {"to": "25%"}}, intervals=traffic(11), probes=PROBED, **more)
    case("dependencies: staging was not passed", "threshold", ramp())
    case("dependencies: staging was passed a moment ago", "threshold", ramp(passed=[dict(PASSED[0], at=at(0))]))
    case("steps: no dwell yet", "threshold", ramp(passed=PASSED, since=4))
    case("steps: a jump over a step", "threshold", dict(ramp(passed=PASSED), asked={"advance": {"to": "50%"}}))
    case("blast radius: too heavy", "threshold", dict(ramp(passed=PASSED), asked={"advance": {"to": "80%"}}))
    others = [{"service": "basket", "environment": "prod", "revision": "r7"}]
    case("blast radius: another release runs", "threshold", ramp(passed=PASSED, running=others))
    for verdict in ("pass", "degraded", "fail", "error", "skipped"):
        results = [{"flow": "login", "cohort": "canary", "at": at(60 * minute), "verdict": verdict} for minute in (3, 5)]
        snapshot = look(6, "promote", weight="25%", intervals=traffic(11), passed=PASSED, probes=results)
        case(f"probes: {verdict}", "threshold", snapshot)
    case("probes: stale", "threshold", dict(look(30, "promote", weight="25%", passed=PASSED, probes=PROBED)))
    case("bake: not over", "threshold", look(12, "keep", "live", "100%", since=5, intervals=traffic(22)))
    case("bake: over", "threshold", look(42, "keep", "live", "100%", since=5, intervals=traffic(8, first=74)))


def overrides():
    base = {
        "id": "ticket-7",
        "scope": {"service": "shop"},
        "by": "ana",
        "reason": "known, \"harmless\" | <b>",
        "issuedAt": at(0),
        "expiresAt": at(3600),
        "verification": "verified",
    }
    actions = {
        "waives the dwell": {"waive": {"findings": ["steps.dwell"]}},
        "waives a failed probe": {"waive": {"findings": ["probes.failed"]}},
        "waives what it may not": {"waive": {"findings": ["health.limit-exceeded"]}},
        "holds": "hold",
        "aborts": "abort",
    }
    failing = [{"flow": "login", "cohort": "canary", "at": at(60 * minute), "verdict": "fail"} for minute in (3, 5)]
    for (name, action), (kind, change) in itertools.product(
        actions.items(),
        {
            "verified": {},
            "unverified": {"verification": "unverified"},
            "expired": {"expiresAt": at(60)},
            "of another service": {"scope": {"service": "basket"}},
        }.items(),
    ):
        one = {**base, "action": action, **change}
        snapshot = look(
            6, {"advance": {"to": "25%"}}, since=4, intervals=traffic(11), passed=PASSED, probes=failing, overrides=[one]
        )
        case(f"overrides: {kind}, {name}", "threshold", snapshot)


def budgets():
    def windows(burning, cohorts=None, spent=0.4, coverage="100%"):
        listed = []
        for minutes in (5, 30, 60, 120, 360, 1440, 4320, 30 * 1440):
            total = 1000 * minutes
            rate = 0.001 * spent if minutes == 30 * 1440 else 0.02 if burning and minutes <= 60 else 0.0005
            window = {
                "slo": "availability",
                "from": at(15 * 60 - 60 * minutes),
                "end": at(15 * 60),
                "bad": round(total * rate),
                "total": total,
                "coverage": coverage,
                "newest": at(15 * 60 - 15),
            }
            listed.append(window)
            for cohort, bad in (cohorts or {}).items():
                if minutes in (5, 30):
                    listed.append(dict(window, cohort=cohort, bad=round(total * bad), total=total))
        return listed

    looks = {
        "calm": windows(False),
        "burning, nobody to blame": windows(True),
        "burning, the canary": windows(True, {"canary": 0.1, "baseline": 0.0005}),
        "burning, both": windows(True, {"canary": 0.05, "baseline": 0.05}),
        "spent": windows(False, spent=1.3),
        "nearly spent": windows(False, spent=0.97),
        "half covered": windows(False, coverage="50%"),
        "no data": [dict(window, bad="noData", total="noData") for window in windows(False)],
        "nothing": [],
    }
    for (name, seen), (asked, stage) in itertools.product(
        looks.items(), [("start", "canary"), ({"advance": {"to": "25%"}}, "canary"), ("promote", "canary"), ("keep", "live")]
    ):
        case(f"budgets: {word(asked)} in {stage}, {name}", "budgets", look(15, asked, stage, slos=seen))
    exempt = look(15, "start", slos=looks["spent"], release={"changeClass": "security"})
    case("budgets: start, spent, a security fix", "budgets", exempt)
    case("budgets: start, spent, the release before", "budgets", look(15, "start", slos=looks["spent"]))
    case("budgets: start, nearly spent, frozen before", "budgets", look(15, "start", slos=looks["nearly spent"]), "@previous")


def sequences():
    """Looks in a row, each from the state of the one before."""
    for bundle, how in (("threshold", {}), ("evidence", {}), ("threshold", {"rate": 0.08}), ("evidence", {"rate": 0.05})):
        observed = traffic(24, **how)
        for one in observed:
            if bundle == "evidence":
                one["observations"] = [o for o in one["observations"] if o["metric"] not in ("cpu", "crashes")]
        for turn, slots in enumerate((8, 12, 16, 20, 24)):
            snapshot = look(slots / 2 + 1, intervals=observed[: slots][-6:], passed=PASSED, probes=PROBED)
            kind = "erring" if how else "healthy"
            case(f"{bundle}: {kind}, look {turn + 1}", bundle, snapshot, "@previous" if turn else "")
    late = traffic(10)
    case("threshold: before late data", "threshold", look(6, intervals=late[:3] + late[4:]))
    case("threshold: late data", "threshold", look(7, intervals=late), "@previous")
    changed = copy.deepcopy(late)
    changed[8]["observations"][0]["bad"] = 7
    case("threshold: differing data", "threshold", look(8, intervals=changed), "@previous")
    other = look(9, intervals=[], release={"revision": "r3"})
    case("threshold: the state of another release", "threshold", other, "@previous")
    case("threshold: the clock goes back", "threshold", look(5, intervals=late))
    case("threshold: the clock goes back, then", "threshold", look(3), "@previous")


def plugins():
    """What a plugin measured, as a host that runs it leaves it in the snapshot."""
    component = hashlib.sha256((HERE / "bundles/plugin/sum.wasm").read_bytes()).hexdigest()
    run = {"metric": "depth", "cohort": "canary", "plugin": f"sha256:{component}", "engine": "an engine", "fuel": 77}
    outcomes = {
        "within its limit": {"value": 7.25},
        "above its limit": {"value": 10.5},
        "at its limit": {"value": 10},
        "rejected": {"rejected": {"message": "too few"}},
        "out of fuel": {"faulted": {"fault": "outOfFuel", "detail": "all fuel consumed"}},
        "late": {"faulted": {"fault": "deadline", "detail": "interrupt"}},
    }
    for (name, outcome), (asked, stage) in itertools.product(
        outcomes.items(), [("promote", "canary"), ("keep", "canary"), ("keep", "live")]
    ):
        seen = {"gauge": outcome["value"]} if "value" in outcome else {"missing": "noAnswer"}
        observed = [
            interval(
                slot,
                {"metric": "depth.samples", "cohort": "canary", "gauge": outcome.get("value", 3)},
                {"metric": "depth", "cohort": "canary", **seen},
            )
            for slot in range(2)
        ]
        runs = [{**run, "start": at(30 * slot), "outcome": outcome} for slot in range(2)]
        case(f"plugin: {asked} in {stage}, {name}", "plugin", look(1, asked, stage, intervals=observed, plugins=runs))
    bare = [interval(0, {"metric": "depth.samples", "cohort": "canary", "gauge": 3}, {"metric": "depth", "cohort": "canary", "gauge": 3})]
    told = [{**run, "start": at(0), "outcome": {"value": 3}}]
    case("plugin: no record of the run", "plugin", look(1, intervals=bare))
    case("plugin: another value than the run's", "plugin", look(1, intervals=bare, plugins=[{**told[0], "outcome": {"value": 2}}]))
    case("plugin: another plugin", "plugin", look(1, intervals=bare, plugins=[{**told[0], "plugin": "sha256:" + "0" * 64}]))
    case("plugin: as it should be", "plugin", look(1, intervals=bare, plugins=told))


FACTS = {
    "ticket": "CHG-1",
    "restarts": 0,
    "notes": {},
    "images": [{"ref": "r/a@sha256:1", "size": 2}, {"ref": "r/b@sha256:2", "size": 3}],
    "budget": 7,
    "list": [1, 1],
    "share": 0.5,
}


def rules():
    """What rules in Rego and CEL say: of facts, of what gates found, and of what is missing or too large."""
    without = lambda key: {name: value for name, value in FACTS.items() if name != key}
    facts = {
        "all is well": FACTS,
        "no facts": {},
        "no ticket": without("ticket"),
        "a ticket that is null": {**FACTS, "ticket": None},
        "notes": {**FACTS, "notes": {"z": "last", "a": "first <b>|", "ü": [1, 0.5, {"k": None}]}},
        "one restart, which the shadow fails": {**FACTS, "restarts": 1},
        "many restarts": {**FACTS, "restarts": 4},
        "restarts that are text": {**FACTS, "restarts": "4"},
        "an image by its tag": {**FACTS, "images": [{"ref": "r/a:1", "size": 1}]},
        "an image without its name": {**FACTS, "images": [{"size": 1}]},
        "a large image": {**FACTS, "images": [{"ref": "r/a@sha256:1", "size": 7.5}]},
        "no images at all": {**FACTS, "images": []},
        "images that are no list": {**FACTS, "images": 3},
        "a list that is too long": {**FACTS, "list": [1] * 400},
        "a list of many kinds": {**FACTS, "list": [1, 1.5, "1", None, [1], {"a": 1}]},
        "more than a half": {**FACTS, "share": 0.75},
        "a whole share": {**FACTS, "share": 1},
    }
    for (name, known), asked in itertools.product(facts.items(), ASKED):
        case(f"rules: {word(asked)}, {name}", "rules", look(6, asked, facts=known, intervals=of_errors(11)))
    for rate, stage in itertools.product((0.03, 0.2), ("canary", "live")):
        snapshot = look(6, "promote", stage, facts=FACTS, intervals=of_errors(11, rate))
        case(f"rules: promote in {stage}, {rate} of errors", "rules", snapshot)
    case("rules: promote, nothing observed", "rules", look(6, "promote", facts=FACTS))
    case("rules: promote, late at night", "rules", look(13 * 60, "promote", facts=FACTS))
    deep = 1
    for _ in range(12):
        deep = [deep]
    case("rules: promote, deep facts", "rules", look(6, "promote", facts={**FACTS, "deep": deep}))


def of_errors(slots, rate=0.001):
    return [interval(slot, counts("canary", 400, rate)) for slot in range(slots)]


def calendars():
    """Change windows and freezes, by the clocks of Berlin and New York."""
    minutes = {
        "a Thursday morning": 6,
        "just before the office closes": 6 * 60 - 1,
        "as the office closes": 6 * 60,
        "a quarter of an hour's freeze begins": 15,
        "Black Friday has begun in New York": 19 * 60,
        "Saturday": 48 * 60,
        "payday": (4 * 24 + 23) * 60,
    }
    targets = {"unknown": {}, "the cluster": {"target": {"cluster": "prod-1"}}}
    for (name, minute), asked, (where, target) in itertools.product(minutes.items(), ASKED, targets.items()):
        snapshot = look(minute, asked, since=minute - 5, **target)
        case(f"calendars: {word(asked)}, {name}, cluster {where}", "calendars", snapshot)
    at_night = lambda **more: look(12 * 60, "start", target={"cluster": "prod-1"}, **more)
    case("calendars: start at night by hand", "calendars", at_night(manual=True))
    case("calendars: start at night, a security fix", "calendars", at_night(release={"changeClass": "security"}))
    case("calendars: start at night in staging", "calendars", at_night(environment="staging"))
    case("calendars: start on payday in staging", "calendars", look(minutes["payday"], "start", environment="staging"))


def kayenta():
    """Kayenta's judge, from the first analysis to the last, in a row and at once."""
    for name, how in (
        ("healthy", {}),
        ("erring", {"rate": 0.2}),
        ("slow", {"shift": 8}),
        ("hot", {"cpu": 0.95}),
        ("thin", {"canary": 8}),
    ):
        observed = traffic(7, **how)
        for one in observed:
            one["observations"] = [dict(o, metric="crash-loops") if o["metric"] == "crashes" else o for o in one["observations"]]
            one["observations"].append({"metric": "cpu", "cohort": "baseline", "gauge": round(0.5 + RANDOM.random() / 20, 4)})
        for turn, slots in enumerate((1, 4, 7)):
            snapshot = look(slots / 2, "promote", intervals=observed[:slots][-4:])
            case(f"kayenta: {name}, look {turn + 1}", "kayenta", snapshot, "@previous" if turn else "")
        for asked, stage in (({"advance": {"to": "25%"}}, "canary"), ("keep", "live")):
            case(f"kayenta: {word(asked)} in {stage}, {name}", "kayenta", look(3.5, asked, stage, intervals=observed))
    case("kayenta: nothing observed", "kayenta", look(4, "promote"))


def strangers():
    case("another service", "threshold", look(5, release={"service": "basket"}))
    case("an unknown environment", "threshold", look(5, environment="moon"))
    case("a policy without environments", "ramp", look(5, "promote", intervals=traffic(4)))


def broken():
    good = json.dumps(look(6, intervals=traffic(1), passed=PASSED, probes=PROBED), separators=(",", ":"))
    slips = {
        "no JSON": "nonsense",
        "nothing": "",
        "cut off": good[: len(good) // 2],
        "more behind it": good + "{}",
        "a list": "[]",
        "an unknown key": good.replace('"stage"', '"stag"', 1),
        "a duplicate key": good.replace('"stage"', '"weight":"5%","stage"', 1),
        "a missing key": good.replace('"stage":"canary",', "", 1),
        "an unknown word": good.replace('"stage":"canary"', '"stage":"moon"', 1),
        "a wrong type": good.replace('"weight":"5%"', '"weight":5', 1),
        "a share above one": good.replace('"weight":"5%"', '"weight":"105%"', 1),
        "no instant": good.replace(at(360), "yesterday", 1),
        "a count that is negative": good.replace('"events":0', '"events":-1', 1),
        "a count that is too large": good.replace('"events":0', '"events":9007199254740993', 1),
        "a count with a fraction": good.replace('"events":0', '"events":0.5', 1),
        "no number": good.replace('"events":0', '"events":NaN', 1),
        "a number without end": good.replace('"events":0', '"events":1e999', 1),
        "a name that breaks out": good.replace('"shop"', '"sh op\\u001b"', 1),
        "half a surrogate": good.replace('"shop"', '"\\ud800"', 1),
    }
    for name, text in slips.items():
        assert text != good, name
        case(f"broken snapshot: {name}", "threshold", text)
    for name, state in {
        "no JSON": "nonsense",
        "another version": '{"version":99,"service":{"service":null},"release":null}',
        "an unknown key": '{"version":1,"service":{"service":null},"release":null,"more":1}',
        "a list": "[]",
    }.items():
        case(f"broken state: {name}", "threshold", good, state)


def main():
    whole_table()
    missing_data()
    gates_of_the_ramp()
    overrides()
    budgets()
    sequences()
    plugins()
    strangers()
    broken()
    rules()
    calendars()
    kayenta()
    names = [name for name, *_ in CASES]
    assert len(set(names)) == len(names), "names are unique"
    lines = ["\n".join([name, bundle, state, text, "", "", ""]) for name, bundle, state, text in CASES]
    (HERE / "cases.txt").write_text("\n\n".join(lines) + "\n\n", encoding="utf-8")
    print(len(CASES), "cases")


main()
