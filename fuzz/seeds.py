#!/usr/bin/env python3
"""Writes the seed corpora again, as they must be after a change of the state's or the record's layout: fuzz/seeds.py

Everything in them is written down here; states and records are what deciding leaves behind. A seed whose name begins
with `refused-` must not be read by its target.
"""

import copy
import json
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
CHECKOUT = HERE.parent / "policies" / "checkout" / "rollouts.yaml"
MOST = 2**53 - 1
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def seed(target, name, content):
    data = content if isinstance(content, bytes) else content.encode()
    (CORPUS / target / name).write_bytes(data)


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def changed(value, change):
    """A copy of a JSON value after `change` has been made to it, as text."""
    value = copy.deepcopy(value)
    change(value)
    return compact(value)


# Bundles.

HEAD = "apiVersion: davy/v1\nkind: Rollout\nmetadata: { name: checkout }\n"
LIMIT = "bad: b, total: t, max: 1%"
SHORT = HEAD + "spec: { health: { judge: threshold, metrics: [{ name: errors, " + LIMIT + " }] } }\n"


def bundles():
    seed("bundle", "checkout.yaml", CHECKOUT.read_bytes())
    for path in sorted((HERE / "bundles").iterdir()):
        seed("bundle", path.name, path.read_bytes())
    metric = {"name": "errors", "bad": "b", "total": "t", "max": "1%"}
    spec = {"health": {"judge": "threshold", "metrics": [metric]}}
    rollout = {"apiVersion": "davy/v1", "kind": "Rollout", "metadata": {"name": "checkout"}, "spec": spec}
    annotated = HEAD.replace("}", ', annotations: { davy/owner: "Zahlungen – 決済 🙂 \\u202E" } }')
    texts = {
        "short": SHORT,
        "byte-order-mark": BYTE_ORDER_MARK + SHORT.encode(),
        "crlf": SHORT.replace("\n", "\r\n"),
        "json": compact(rollout),
        "unicode": annotated + "spec: {}\n",
        "folded-and-literal": HEAD
        + """spec:
  health:
    judge: threshold
    metrics:
      - name: errors
        bad: |-
          sum(rate(x{code=~"5.."}))
        total: >-
          sum(rate(x))
        max: 0.0001%
""",
        "refined": HEAD
        + """spec:
  health: { judge: threshold, every: 1h, settle: 1h, warmUp: 1d, horizon: 90d, metrics: [{ name: cpu, gauge: g, min: -1e308, max: 1e308 }] }
  environments:
    a: { health: { metrics: [{ name: cpu, max: 0.5, patience: 2 }, { name: extra, events: e, max: 3 }] } }
    b: { health: { every: 1s, settle: 0s, warmUp: 0s }, steps: [{ weight: 100% }] }
""",
        "refused-alias-bomb": "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcd", "bcde")),
        "refused-alias-to-itself": "a: &a\n  b: *a\n",
        "refused-merge-key": HEAD + "spec:\n  <<: { health: {} }\n",
        "refused-deep-flow": "[" * 200,
        "refused-deep-block": "".join(" " * depth + "a:\n" for depth in range(80)),
        "refused-deep-list": "- " * 120 + "x\n",
        "refused-duplicate-key": SHORT.replace("name: errors", "name: errors, name: errors"),
        "refused-nan": SHORT.replace(LIMIT, "gauge: g, max: .nan"),
        "refused-infinite": SHORT.replace(LIMIT, "gauge: g, max: .inf"),
        "refused-huge-number": SHORT.replace(LIMIT, "gauge: g, max: 1e999"),
        "refused-huge-count": SHORT.replace(LIMIT, LIMIT + ", minRequests: 18446744073709551616"),
        "refused-huge-duration": SHORT.replace("judge:", "every: 99999999999999999999d, judge:"),
        "refused-ambiguous": SHORT.replace("name: checkout", "name: no"),
        "refused-octal": SHORT.replace(LIMIT, LIMIT + ", minRequests: 0o17"),
        "refused-tag": SHORT.replace("name: checkout", "name: !!str checkout"),
        "refused-two-documents": SHORT + "---\n" + SHORT,
        "refused-directive": "%YAML 1.2\n---\n" + SHORT,
        "refused-two-rollouts": SHORT + "\x1e" + SHORT,
        "refused-not-utf8": SHORT.encode().replace(b"checkout", b"check\xff\xfeout"),
        "refused-utf16": SHORT.encode("utf-16"),
        "refused-empty": "",
        "refused-comment-alone": "# nothing\r# at all\u2028\n",
        "refused-not-supported-yet": HEAD + "spec: { rules: [a.rego], trust: { require: [signed-manifest] } }\n",
        "refused-every-mistake": """apiVersion: davy/v2
kind: Rollouts
metadata: { nam: x }
spec:
  steps: [{ weight: 50% }, { weight: 5% }, { wait: 5m }, 7]
  health: { judge: kayenta, every: 1ms, score: { pass: 1, fail: 2 }, metrics: [{ name: a }, { name: a, gauge: g, bad: b, max: 1s, patience: 0 }] }
  environments: { prod: { requires: [{ environment: prod }, { environment: nowhere }] } }
""",
        "refused-tabs": SHORT.replace("spec:", "spec:\n\t"),
        "refused-nul": SHORT.replace("checkout", "check\0out"),
    }
    for name, text in texts.items():
        seed("bundle", name + ".yaml", text)


# Snapshots.

RELEASE = {
    "service": "checkout",
    "environment": "prod",
    "revision": "r2",
    "stable": "r1",
    "attempt": 1,
    "startedAt": "2026-11-23T09:00:00Z",
}


def snapshot(clock, **others):
    least = {
        "now": f"2026-11-23T{clock}Z",
        "release": RELEASE,
        "asked": {"advance": {"to": "25%"}},
        "stage": "canary",
        "weight": "5%",
        "since": "2026-11-23T09:00:00Z",
    }
    return {**least, **others}


def observed(metric, cohort="canary", **what):
    return {"metric": metric, "cohort": cohort, **what}


def histogram(most):
    return {"schema": 3, "zero": 0, "buckets": [[-30, 2], [-24, most], [-17, 1]]}


def buckets(total):
    return {"atMost": [[0.1, total // 2], [0.3, total - 2], [1, total - 1], [3, total]], "total": total}


def minute(bad=0):
    """What the metrics of all bundles see; `bad` of 150 requests fail."""
    return [
        observed("errors", bad=bad, total=150),
        observed("errors", "baseline", bad=14, total=2860),
        observed("latency", histogram=histogram(150)),
        observed("latency", "baseline", histogram=histogram(1800)),
        observed("search", buckets=buckets(65)),
        observed("search", "baseline", buckets=buckets(900)),
        observed("cpu", replica="pod-a", gauge=0.68),
        observed("cpu", replica="pod-b", gauge=0.509),
        observed("crash-loops", events=0),
        observed("crash-loops", "baseline", events=0),
        observed("journey", bad=0, total=1),
    ]


def intervals(first, every, observations):
    """One interval of `every` seconds for each list of observations, the first of which begins at `first`."""
    hours, minutes = map(int, first.split(":"))
    clock = lambda second: f"2026-11-23T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"
    starts = range(hours * 3600 + minutes * 60, 86400, every)
    return [
        {"start": clock(start), "end": clock(start + every), "observations": seen}
        for start, seen in zip(starts, observations)
    ]


def run(clock, verdict, cohort="canary"):
    return {"flow": "login-and-pay", "cohort": cohort, "at": f"2026-11-23T{clock}Z", "verdict": verdict}


def override(action, **others):
    given = {
        "id": "ticket-7",
        "action": action,
        "scope": {"service": "checkout"},
        "by": "ana",
        "reason": "known and harmless",
        "issuedAt": "2026-11-23T09:00:00Z",
        "expiresAt": "2026-11-23T10:00:00Z",
        "verification": "verified",
    }
    return {**given, **others}


def waive(*findings, **others):
    return override({"waive": {"findings": list(findings)}}, **others)


PASSED = {"environment": "staging", "revision": "r2", "at": "2026-11-23T05:30:00Z"}
RUNNING = {"service": "search", "environment": "prod", "revision": "r7"}


def checkout(clock, observations, **others):
    """A look at policies/checkout, whose first interval begins at 09:02."""
    seen = {
        "intervals": intervals("09:02", 30, observations),
        "probes": [run("09:03:20", "pass")],
        "passed": [PASSED],
        "running": [RUNNING],
    }
    return snapshot(clock, **{**seen, **others})


def snapshots():
    least = compact(snapshot("09:04:00"))
    healthy = compact(checkout("09:04:00", [minute()] * 3))
    seeing = lambda *observations: compact(snapshot("09:04:00", intervals=intervals("09:02", 30, [list(observations)])))
    backwards = {"start": "2026-11-23T09:02:30Z", "end": "2026-11-23T09:02:00Z", "observations": []}
    last = {"start": "9999-12-30T21:59:59Z", "end": "9999-12-30T22:00:00Z", "observations": []}
    texts = {
        "least": least,
        "healthy": healthy,
        "indented-crlf": json.dumps(checkout("09:04:00", [minute()]), indent=1).replace("\n", "\r\n"),
        "every-way-to-see-nothing": seeing(
            *(observed(metric, missing=why) for metric, why in zip("abcd", ["noData", "NaN", "+Inf", "-Inf"]))
        ),
        "largest-numbers": seeing(
            observed("a", bad=MOST, total=MOST),
            observed("b", gauge=1.7976931348623157e308),
            observed("c", gauge=5e-324),
            observed("d", gauge=-0.0),
            observed("e", histogram={"schema": 8, "zero": MOST, "buckets": [[-16383, MOST], [262144, MOST]]}),
            observed("f", buckets={"atMost": [[-1e308, 0], [1e308, MOST]], "total": MOST}),
        ),
        "largest-attempt": least.replace('"attempt":1', '"attempt":4294967295'),
        "overrides": compact(
            snapshot(
                "09:04:00",
                overrides=[
                    waive("steps.dwell", "health.no-data:errors"),
                    override("hold", id="t8", verification="unverified"),
                    override("abort", id="t9", reason="Ursache – 原因 🙂"),
                ],
            )
        ),
        "end-of-time": compact(
            snapshot("09:00:00", now="9999-12-30T22:00:00Z", since="1970-01-01T00:00:00Z", intervals=[last])
        ),
        "instants-with-offset": compact(
            snapshot("", now="2026-11-23T10:04:00.999999+01:00", since="2026-11-23t09:00:00z")
        ),
        "keys-as-escapes": least.replace('"now"', '"\\u006eow"'),
        "thirty-replicas": seeing(
            *(
                observed("errors", cohort, replica=f"pod-{number:02}", bad=0, total=9)
                for cohort in ("canary", "baseline")
                for number in range(30)
            )
        ),
        "replica-starts-and-history": compact(
            snapshot(
                "09:04:00",
                replicaStarts=[
                    {"cohort": "canary", "replica": "pod-00", "startedAt": "2026-11-23T09:00:00Z"},
                    {"cohort": "canary", "replica": "pod-00", "startedAt": "2026-11-23T09:03:00Z"},
                ],
                noiseHistory={
                    "rollouts": 4294967295,
                    "noise": {"errors": [[[], [{"sum": -1e308, "of": 20}, {"sum": 0.25, "of": 4294967295}]]]},
                    "highest": [1.5, 1e308, -1e308],
                    "ranked": 199,
                },
            )
        ),
        "same-interval-twice": compact(snapshot("09:04:00", intervals=intervals("09:02", 30, [minute()]) * 2)),
        "refused-empty": "",
        "refused-byte-order-mark": BYTE_ORDER_MARK + least.encode(),
        "refused-nan": seeing(observed("a", gauge=0.5)).replace("0.5", "NaN"),
        "refused-huge-number": seeing(observed("a", gauge=0.5)).replace("0.5", "1e999"),
        "refused-huge-count": seeing(observed("a", events=MOST + 1)),
        "refused-negative-count": seeing(observed("a", events=-1)),
        "refused-fractional-count": seeing(observed("a", events=1.5)),
        "refused-duplicate-key": least.replace('"stage":', '"stage":"live","stage":'),
        "refused-unknown-key": least.replace('"now"', '"nows"'),
        "refused-list-for-object": least.replace('{"to":"25%"}', '["25%"]'),
        "refused-deep-lists": "[" * 400,
        "refused-deep-objects": '{"intervals":' * 200,
        "refused-two-forms": seeing(observed("a", events=1, gauge=1.0)),
        "refused-whole-and-parts": seeing(observed("a", events=1), observed("a", events=1, replica="p")),
        "refused-metric-twice": seeing(observed("a", events=1), observed("a", events=1)),
        "refused-backwards": compact(snapshot("09:04:00", intervals=[backwards])),
        "refused-more-bad-than-total": seeing(observed("a", bad=2, total=1)),
        "refused-falling-buckets": seeing(observed("a", buckets={"atMost": [[1, 5], [0.5, 6]], "total": 9})),
        "refused-schema": seeing(observed("a", histogram={"schema": 9, "zero": 0, "buckets": []})),
        "refused-name": least.replace("checkout", "check\u202eout"),
        "refused-lone-surrogate": least.replace("checkout", "\\ud800"),
        "refused-trailing-text": least + " {}",
        "refused-cut-off": healthy[:400],
        "refused-not-utf8": least.encode().replace(b"checkout", b"\xff"),
        "refused-weight": least.replace('"5%"', '"101%"'),
    }
    for name, text in texts.items():
        seed("snapshot", name + ".json", text)


# Looks at a release: the bundle's number, and snapshots decided one after the other.

STARTER, ARGO, FLAGGER, EVERYTHING, BARE = 1, 2, 3, 4, 5


def looks():
    failing = [run("09:03:00", "fail"), run("09:04:00", "fail")]
    live = {"stage": "live", "asked": "keep", "weight": "100%", "since": "2026-11-23T09:05:00Z"}
    elsewhere = {**RELEASE, "environment": "nowhere"}
    of_search = {**RELEASE, "service": "search"}
    epoch = "1970-01-01T00:00:00Z"
    first = {"start": epoch, "end": "1970-01-01T00:00:30Z", "observations": minute()}
    off_grid = [
        {"start": "2026-11-23T09:02:07Z", "end": "2026-11-23T09:02:37Z", "observations": minute()},
        {"start": "2026-11-23T09:02:00Z", "end": "2026-11-23T09:03:00Z", "observations": []},
    ]
    end = "9999-12-30T22:00:00Z"
    last = {"start": "9999-12-30T21:59:59Z", "end": end, "observations": minute()}
    extremes = [
        observed("cpu", gauge=1.7976931348623157e308),
        observed("cpu", "baseline", gauge=1.7976931348623157e308),
        observed("crash-loops", events=MOST),
        observed("errors", bad=MOST, total=MOST),
        observed("errors", "baseline", bad=1, total=MOST),
        observed("latency", histogram={"schema": 8, "zero": 0, "buckets": [[262144, MOST]]}),
        observed("latency", "baseline", histogram={"schema": -4, "zero": 0, "buckets": [[-3, MOST]]}),
        observed("native", histogram={"schema": -4, "zero": 1, "buckets": [[64, 1]]}),
        observed("search", buckets={"atMost": [[1, 0]], "total": MOST}),
        observed("search", "baseline", buckets={"atMost": [[1, MOST]], "total": MOST}),
        observed("shop", buckets={"atMost": [], "total": 3}),
    ]
    wrong = [
        observed("cpu", events=1),
        observed("errors", gauge=1.0),
        observed("errors", "baseline", bad=0, total=0),
        observed("latency", buckets=buckets(9)),
        observed("crash-loops", missing="NaN"),
    ]
    everything = [
        minute(bad) + [observed("native", histogram=histogram(7)), observed("shop", buckets=buckets(9))]
        for bad in range(3)
    ]
    several = [
        override("hold"),
        override("abort", id="a", expiresAt="2026-11-23T09:04:00Z"),
        waive("data.stale", "probes.stale:login-and-pay", "override.hold", "nothing", id="w"),
        waive("steps.dwell", id="x", verification="unverified"),
    ]
    return {
        "healthy": (0, checkout("09:05:20", [minute()] * 6), checkout("09:05:50", [minute()] * 7, asked="promote")),
        "starter": (STARTER, checkout("09:05:20", [minute()] * 6), checkout("09:06:20", [minute(9)] * 8)),
        "aborted": (0, checkout("09:05:20", [minute(9)] * 6), checkout("09:05:50", [])),
        "gap": (
            0,
            checkout("09:04:20", [minute()] * 4),
            snapshot("09:09:20", intervals=intervals("09:08", 30, [minute()])),
        ),
        "conflict": (0, checkout("09:04:20", [minute()] * 4), checkout("09:04:50", map(minute, range(5)))),
        "late": (
            0,
            snapshot("09:09:20", intervals=intervals("09:08", 30, [minute()])),
            checkout("09:09:20", [minute()] * 4),
        ),
        "rolled-back": (
            0,
            checkout("09:06:20", [minute()] * 8),
            checkout("09:07:20", [minute()] * 8 + [minute(9)] * 2, **live),
        ),
        "waived": (0, checkout("09:05:20", [minute()] * 6, probes=failing, overrides=[waive("probes.failed")])),
        "unverified-waiver": (
            0,
            checkout(
                "09:05:20",
                [minute()] * 6,
                probes=failing,
                overrides=[waive("probes.failed", verification="unverified")],
            ),
        ),
        "upstream": (0, checkout("09:05:20", [minute()] * 6, probes=failing + [run("09:04:30", "fail", "baseline")])),
        "forced": (
            0,
            checkout("09:03:20", [minute()] * 2, overrides=[override("abort", verification="unverified")]),
            checkout("09:03:50", [minute()] * 3),
        ),
        "argo-running": (ARGO, snapshot("09:04:00", intervals=intervals("09:00", 30, [minute()] * 3))),
        "argo-ended": (
            ARGO,
            snapshot("09:05:00", intervals=intervals("09:00", 30, [minute(), minute(9)] * 4)),
            snapshot("09:05:30", intervals=intervals("09:05", 30, [minute()])),
        ),
        "argo-wrong-forms": (ARGO, snapshot("09:04:00", intervals=intervals("09:00", 30, [wrong] * 3))),
        "flagger-rolled-back": (FLAGGER, snapshot("09:06:00", intervals=intervals("09:00", 60, [minute(9)] * 5))),
        "everything": (
            EVERYTHING,
            snapshot("09:00:03", asked="promote", intervals=intervals("09:00", 1, everything)),
        ),
        "largest-numbers": (
            EVERYTHING,
            snapshot("09:00:05", asked="promote", intervals=intervals("09:00", 1, [extremes] * 4)),
        ),
        "bare": (BARE, snapshot("09:04:00", asked="promote"), snapshot("09:05:00", asked="start")),
        "unknown-environment": (0, snapshot("09:04:00", release=elsewhere)),
        "unknown-service": (
            STARTER,
            snapshot("09:04:00", release=of_search, overrides=[override("abort", scope={"service": "search"})]),
        ),
        "next-attempt": (0, checkout("09:05:20", [minute(9)] * 6), snapshot("09:06:00", release={**RELEASE, "attempt": 2})),
        "clock-backwards": (0, checkout("09:05:20", [minute()] * 6), checkout("08:00:00", [minute()] * 6)),
        "begin-of-time": (
            0,
            snapshot("", now=epoch, since=epoch, release={**RELEASE, "startedAt": epoch}, intervals=[first]),
        ),
        "end-of-time": (EVERYTHING, snapshot("", now=end, asked="promote", intervals=[last])),
        "held-for-years": (0, checkout("09:02:50", [minute()]), checkout("", [], now=end)),
        "off-grid": (0, snapshot("09:04:00", intervals=off_grid)),
        "every-override": (0, snapshot("09:04:00", overrides=several)),
        "two-versions-of-an-interval": (
            0,
            snapshot("09:04:00", intervals=intervals("09:02", 30, [minute()]) + intervals("09:02", 30, [minute(1)])),
        ),
    }


def states(healthy):
    """States that no decision leaves, from one that a decision has left."""
    text = compact(healthy)
    folded = lambda state: state["release"]["folded"]
    tallies = lambda state: folded(state)["tallies"]

    def last_slot(state):
        folded(state)["slots"] = [[2**64 - 1, "0" * 32]]
        for tally in tallies(state):
            tally["latest"]["slot"] = 2**64 - 1

    def largest_counts(state):
        for tally in tallies(state):
            tally.update({key: MOST for key, value in tally.items() if isinstance(value, int)})

    def other_readings(state):
        latest = [tally["latest"] for tally in tallies(state)]
        for tally, other in zip(tallies(state), latest[1:] + latest[:1]):
            tally["latest"] = other

    def ended(state):
        for tally, phase in zip(tallies(state), ["successful", "failed", "error", "inconclusive"] * 2):
            tally["ended"] = {"phase": phase, "mark": tally["latest"]}

    def schema(state):
        for tally in tallies(state):
            tally["latest"]["judged"]["read"]["reading"].get("later", {})["schema"] = 127

    def fewer_metrics(state):
        del tallies(state)[2:]

    def many_blocks(state):
        folded(state)["slots"] = [[number, f"{number:032x}"] for number in range(300)]

    texts = {
        "new": compact({"version": healthy["version"], "service": {"service": None}, "release": None}),
        "next-release": compact({**healthy, "release": None}),
        "other-service": changed(healthy, lambda state: state["service"].update(service="search")),
        "many-blocks": changed(healthy, many_blocks),
        "last-slot": changed(healthy, last_slot),
        "fewer-metrics": changed(healthy, fewer_metrics),
        "readings-of-other-metrics": changed(healthy, other_readings),
        "schema-of-no-histogram": changed(healthy, schema),
        "largest-counts": changed(healthy, largest_counts),
        "other-policy": text.replace("0" * 64, "1" * 64),
        "ended-without-reason": changed(healthy, ended),
        "indented-crlf": json.dumps(healthy, indent=1).replace("\n", "\r\n"),
        "refused-empty": "",
        "refused-version": changed(healthy, lambda state: state.update(version=4294967295)),
        "refused-byte-order-mark": BYTE_ORDER_MARK + text.encode(),
        "refused-falling-slots": changed(healthy, lambda state: folded(state)["slots"].reverse()),
        "refused-sign-in-digest": changed(healthy, lambda state: folded(state).update(slots=[[1, "+" + "0" * 31]])),
        "refused-duplicate-key": text.replace('"course":', '"course":null,"course":'),
        "refused-unknown-key": changed(healthy, lambda state: state.update(extra=1)),
        "refused-nan": text.replace("0.68", "NaN"),
        "refused-huge-number": text.replace("0.68", "-1e999"),
        "refused-huge-count": changed(healthy, lambda state: folded(state).update(requests=MOST + 1)),
        "refused-deep": '{"release":' * 300,
        "refused-name": text.replace('"checkout"', '"ｃheckout"'),
    }
    for name, content in texts.items():
        seed("state", name + ".json", content)


def records(record):
    """Records that no decision seals, from one that was sealed."""
    text = compact(record)
    texts = {
        "not-canonical": json.dumps(record, indent=2),
        "crlf": json.dumps(record, indent=2).replace("\n", "\r\n"),
        "other-semantics": changed(record, lambda record: record.update(semantics=4294967295)),
        "engine-in-unicode": changed(record, lambda record: record.update(engine='dåvy 🙂 "\u202e')),
        "no-findings": changed(record, lambda record: record["decision"].update(findings=[])),
        "verdict-without-reason": changed(record, lambda record: record["decision"].update(verdict="rollback")),
        "largest-number": text.replace("0.68", "1.7976931348623157e+308"),
        "refused-empty": "",
        "refused-byte-order-mark": BYTE_ORDER_MARK + text.encode(),
        "refused-nan": text.replace("0.68", "NaN"),
        "refused-huge-number": text.replace("0.68", "1e999"),
        "refused-duplicate-key": text.replace('"semantics":', '"semantics":1,"semantics":'),
        "refused-unknown-code": text.replace("health.within-limits", "health.within-bounds", 1),
        "refused-facts-of-another-code": text.replace("health.within-limits", "steps.dwell", 1),
        "refused-upper-case-digest": text.replace("sha256:", "SHA256:"),
        "refused-flip-and-no-flip": text.replace('"flip":{', '"noFlip":"person","flip":{', 1),
        "refused-deep": "[" * 5000,
        "refused-cut-off": text[:-1],
        "refused-snapshot": compact(snapshot("09:04:00")),
    }
    for name, content in texts.items():
        seed("record", name + ".json", content)


def decisions():
    """The looks themselves, and the states and records that they leave."""
    build = ["cargo", "build", "--quiet", "--example", "leave", "--message-format", "json"]
    built = subprocess.run(build, cwd=HERE, check=True, stdout=subprocess.PIPE).stdout
    leave = next(filter(None, (json.loads(line).get("executable") for line in reversed(built.splitlines()))))
    left = {}
    for name, (number, *history) in looks().items():
        text = "".join([str(number), *("\n\n" + compact(look) for look in history)]).encode()
        seed("decide", name, text)
        out = subprocess.run([leave], input=text, check=True, stdout=subprocess.PIPE).stdout
        state, _, record = out.partition(b"\n")
        seed("record", name + ".json", record)
        if json.loads(state)["release"]:
            seed("state", name + ".json", state)
        left[name] = (json.loads(state), json.loads(record))
    healthy, record = left["healthy"]
    states(healthy)
    records(record)
    least = compact(snapshot("09:04:00"))
    elsewhere = changed(healthy, lambda state: state["release"]["release"].update(revision="r3"))
    texts = {
        "state-of-another-release": f"0{elsewhere}\n\n{least}",
        "refused-empty": "",
        "refused-no-snapshot": "0\n\n",
        "refused-no-empty-line": "0" + least,
        "refused-nan": "0\n\n" + least.replace('"5%"', "NaN"),
        "refused-state": "0{}\n\n" + least,
        "refused-second-snapshot": f"0\n\n{least}\n\n{{}}",
        "refused-not-utf8": b"0\n\n" + least.encode().replace(b"checkout", b"\xff"),
    }
    for name, content in texts.items():
        seed("decide", name, content)


# Rules.


def rules():
    library = HERE.parent / "policies" / "rules"
    facts = json.loads((HERE.parent / "core" / "rules" / "tests" / "data" / "library.json").read_text())["facts"]
    for language in ["rego", "cel"]:
        for path in sorted((library / language).glob(f"*.{language}")):
            name = path.name.replace(".", "-")
            if name.endswith("_test-rego"):
                seed("rules", name, f"tests\n{path.read_text()}")
            else:
                seed("rules", name, f"{language}\n{path.read_text()}\x1e{compact(facts)}")
    rego = "package r\ndeny contains \"x\" if "
    texts = {
        "nested-lists": "rego\n" + rego + "input.facts.x == " + "[" * 30,
        "long-sum": "rego\n" + rego + "1" + " + 1" * 200,
        "doubling": "rego\n" + rego + "{\n" + "".join(f"\tx{n + 1} := [x{n}, x{n}]\n" for n in range(30)) + "}",
        "clock": "rego\n" + rego + "time.now_ns() > 1",
        "wide-format": 'rego\npackage r\ndeny contains sprintf("%99999999d", [1])',
        "no-rego": "rego\npackage",
        "nested-parentheses": "cel\n" + "(" * 100,
        "pattern": "cel\nfacts.x.matches('(a{1000}){1000}')",
        "no-cel": "cel\n1 +",
        "no-language": "lua\nreturn true",
        "nested-tests": "tests\npackage r\ntest_x if x == " + "{" * 30,
        "no-tests": "tests\ntest_x := true",
        "constant-answer": "answer\n1 < 2",
        "unknown-answer": "answer\njsn.a == 1",
    }
    for name, text in texts.items():
        seed("rules", "refused-" + name, text)
    loops = "count([1 | some a in input.facts.l; some b in input.facts.l; some c in input.facts.l]) > 0"
    many = compact({"l": [1] * 64})
    seed("rules", "nine-loops-rego", f"rego\n{rego}{loops}\x1e{many}")
    seed("rules", "loops-cel", f"cel\nfacts.l.all(a, facts.l.exists(b, a == b))\x1e{many}")
    seed("rules", "missing-rego", f"rego\n{rego}input.facts.nowhere > 1")
    seed("rules", "missing-cel", "cel\nfalse && facts.nowhere > 1")
    answers = {
        "json": ("json.items.all(item, item.price > 0 && item.name != '')", compact({"items": [{"price": 1, "name": "ä"}]})),
        "headers": ("headers['content-type'].startsWith('text/') && status in [200, 204] && durationMs < 5", "no JSON"),
        "missing": ("json.a.b == 1 || has(json.c) && json.c", compact({"a": {}})),
        "pattern": ("body.matches('^[a-f0-9]+$')", "abc"),
        "nothing": ("json == null", "null"),
    }
    for name, (text, body) in answers.items():
        seed("rules", "answer-" + name, f"answer\n{text}\x1e{body}")


# Probes.

PROBES = HERE.parent / "policies" / "probes"
BAD_PROBES = HERE.parent / "core" / "tests" / "data" / "bad_probes"


def flows():
    seed("flows", "everything.yaml", (HERE / "examples" / "flow.yaml").read_bytes())
    for name, library in (("checkout", "oauth2"), ("account", "cookie-login")):
        files = [PROBES / f"{name}.yaml", PROBES / "lib" / f"{library}.yaml"]
        seed("flows", f"refused-{name}-without-its-libraries", b"\x1e".join(path.read_bytes() for path in files))
    for library in sorted((PROBES / "lib").iterdir()):
        seed("flows", library.name, library.read_bytes())
    for path in sorted(BAD_PROBES.iterdir()):
        if path.stem in ("p001_unknown_key", "p002_unknown_references", "p007_patterns", "p019_names_used_twice"):
            flow = b"\n".join(line for line in path.read_bytes().splitlines() if not line.startswith(b"#!"))
            seed("flows", f"refused-{path.stem}", flow)
    head = "apiVersion: davy/v1\nkind: ProbeFlow\nmetadata: { name: a }\nspec:\n  targets: { b: { baseUrl: 'https://c' } }\n"
    seed("flows", "short", head + "  steps: [{ id: d, request: { path: / }, expect: { status: 200, body: { contains: e } } }]\n")
    seed("flows", "refused-empty", "")
    seed("flows", "refused-other-kind", "kind: Rollout\n")


def response(status=200, body="", headers=(), **more):
    peer = {"address": "93.184.215.14"}
    return {"status": status, "version": "1.1", "headers": list(headers), "body": body, "peer": peer, **more}


CART = {"total": 31.5, "ids": [1, 2], "items": [{"sku": "A1", "price": 9.5}]}
JSON_TYPE = ("content-type", "application/json")


def answers():
    recorded = ["cargo", "run", "--quiet", "--manifest-path", str(HERE / "Cargo.toml"), "--example", "recorded"]
    token = response(body=compact({"token": "t0ken-of-a-session"}), headers=[("set-cookie", "sid=abcdef; Path=/"), ("x-version", "v7")])
    cart = response(body=compact(CART), headers=[JSON_TYPE])
    item = response(body=compact({"id": 1}))
    settled = response(body=compact({"state": "settled"}))
    pending = response(body=compact({"state": "pending"}))
    chain = [{"subject": "CN=a", "issuer": "CN=b", "notBefore": "2026-01-01T00:00:00Z", "notAfter": "2026-12-20T00:00:00Z", "digest": "sha256:" + "0" * 64}]
    tls = {"address": "93.184.215.14", "tls": {"version": "1.3", "chain": chain}}
    histories = {
        "passes": [token, {**cart, "peer": tls}, item, item, settled, response(204)],
        "polls": [token, cart, item, item, pending, pending, settled, response(204)],
        "redirects": [response(302, headers=[("location", "https://shop.example/elsewhere")]), token, cart, settled],
        "redirects-away": [response(307, headers=[("location", "http://127.0.0.1/")])],
        "unavailable": [response(503, headers=[("retry-after", "1")])],
        "too-many": [response(429, headers=[("retry-after", "Thu, 26 Nov 2026 10:00:01 GMT")])],
        "private-peer": [{**token, "peer": {"address": "10.0.0.1"}}],
        "truncated": [response(body="x" * 100, truncated=True)],
        "timed": [response(body="{}", timings={"dns": 1, "connect": 2, "tls": 3, "send": 4, "wait": 5000000, "receive": 6})],
        "binary": [response(body={"base64": "AJ+Slv8="})],
    }
    for name, history in histories.items():
        text = "\x1e".join(compact(one) for one in history)
        seed("answers", name, text)
        line = subprocess.run(recorded, input=text.encode(), check=True, stdout=subprocess.PIPE).stdout
        seed("recordings", name, line)
    for name, body in {"empty": "", "html": "<h1>Error</h1>", "cookies": "sid=a; Domain=.example; Path=/; Secure", "unfit": "sid=a?\0\0\0; Path=/", "deep": "[" * 200}.items():
        seed("answers", f"refused-{name}", body)
    passes = (CORPUS / "recordings" / "passes").read_text()
    seed("recordings", "several", passes + "\n" + passes)
    seed("recordings", "none", "")
    seed("recordings", "refused-cut", passes[: len(passes) // 2])
    seed("recordings", "refused-unknown-key", passes.replace('"flow"', '"flou"', 1))


def har():
    def entry(path, body, **more):
        request = {"method": "GET", "url": "https://shop.example" + path, "httpVersion": "HTTP/1.1", "headers": []}
        answer = {"status": 200, "httpVersion": "http/2.0", "headers": [{"name": "content-type", "value": "application/json"}], "content": {"size": 1, "mimeType": "application/json", "text": body}}
        timings = {"blocked": -1, "dns": 1, "connect": 2, "ssl": 1, "send": 0.5, "wait": 10, "receive": 1.5}
        return {"startedDateTime": "2026-11-26T10:00:00.000Z", "time": 15, "request": request, "response": answer, "timings": timings, **more}

    def log(*entries):
        return {"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": list(entries)}}

    cart = entry("/api/carts/A1?n=2&v=", compact(CART))
    encoded = entry("/api/state", "e30=")
    encoded["response"]["content"]["encoding"] = "base64"
    texts = {
        "empty-log": log(),
        "cart": log(cart),
        "twice": log(cart, cart),
        "encoded": log(encoded),
        "address": log(entry("/api/state", "{}", serverIPAddress="93.184.215.14")),
        "bracketed-address": log(entry("/api/state", "{}", serverIPAddress="[2606:2800:21f:cb07:6820:80da:af6b:8b2c]")),
    }
    for name, value in texts.items():
        seed("har", name, compact(value))
    no_entries = {"log": {"version": "1.2"}}
    refused = {"empty": "", "object": "{}", "list": "[]", "no-entries": compact(no_entries), "cut": compact(log(cart))[:200]}
    for name, text in refused.items():
        seed("har", f"refused-{name}", text)


# Calendars.


def calendars():
    crons = {
        "weekdays": "30 9 * * MON-FRI",
        "steps": "5-59/20 */5 */2 * ?",
        "lists": "0,15,30,45 1,13 1,15 jan,JUL-SEP 0,6",
        "either-day": "0 0 13 * 5",
        "leap-day": "0 0 29 2 *",
        "never": "0 0 30 2 *",
        "gap": "30 2 * * *",
        "daily": "@daily",
        "yearly": " @annually ",
        "from-a": "7/7 * * * *",
        "refused-seven": "0 0 * * 7",
        "refused-six-fields": "0 0 0 * * *",
        "refused-last": "0 0 L * *",
        "refused-every": "@every 1h",
        "refused-zone": "CRON_TZ=UTC 0 0 * * *",
        "refused-step": "*/0 * * * *",
        "refused-star-range": "*-5 * * * *",
        "refused-empty": "",
    }
    for name, text in crons.items():
        seed("cron", name, text)
    rules = {
        "weekly": "2026-01-01T09:00\nFREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,TH;COUNT=8",
        "last-friday": "2016-01-29T17:00\nFREQ=MONTHLY;BYDAY=-1FR",
        "set-position": "2026-01-01T09:00\nFREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,-1",
        "week-53": "2024-02-29T00:00\nFREQ=YEARLY;BYWEEKNO=53;BYDAY=MO",
        "year-days": "2024-02-29T00:00\nFREQ=YEARLY;BYYEARDAY=1,100,-1",
        "leap-day": "2024-02-29T00:00\nFREQ=YEARLY",
        "election": "2024-01-01T00:00\nFREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
        "minutes": "2026-01-31T18:30:15\nFREQ=MINUTELY;INTERVAL=90",
        "seconds": "2026-01-31T18:30:15\nFREQ=SECONDLY;BYHOUR=3;BYMINUTE=7;BYSECOND=1,59",
        "rare-seconds": "2026-01-31T18:30\nRRULE:FREQ=SECONDLY;INTERVAL=999983;BYMONTH=2;BYMONTHDAY=29;BYMINUTE=59",
        "until": "2026-01-01T09:00\nFREQ=DAILY;UNTIL=20260110T090000Z",
        "never": "2026-01-01T09:00\nFREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30",
        "refused-no-freq": "2026-01-01T09:00\nCOUNT=8",
        "refused-count-and-until": "2026-01-01T09:00\nFREQ=DAILY;COUNT=8;UNTIL=20260110",
        "refused-numbered-day": "2026-01-01T09:00\nFREQ=WEEKLY;BYDAY=1MO",
        "refused-zero": "2026-01-01T09:00\nFREQ=DAILY;INTERVAL=0",
        "refused-leap-day": "2026-02-29T09:00\nFREQ=DAILY",
        "refused-unknown": "2026-01-01T09:00\nFREQ=DAILY;RSCALE=HEBREW",
    }
    for name, text in rules.items():
        seed("rrule", name, text)
    for name, lines in ICS.items():
        text = "\r\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR", ""])
        seed("ics", name, text)
    seed("ics", "refused-empty", "")
    seed("ics", "refused-not-utf8", b"BEGIN:VCALENDAR\nX:\xff\nEND:VCALENDAR\n")
    seed("ics", "refused-unended", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n")
    head = "apiVersion: davy/v1\nkind: Calendar\nmetadata: { name: c }\nspec:\n  zone: Europe/Berlin\n  selector: { everything: true }\n  windows:\n"
    windows = {
        "cron": 'kind: allow, cron: "0 9 * * MON-FRI", duration: 8h',
        "always": 'kind: deny, cron: "* * * * *", duration: 1h, hard: true',
        "minute-by-minute": 'kind: deny, cron: "* * * * *", duration: 1m',
        "rrule": "kind: deny, rrule: FREQ=DAILY, start: 2026-01-01T02:30, end: 2026-01-01T03:30, exdate: [2026-03-29T02:30], fold: both",
        "weekly": 'kind: allow, weekly: [{ days: [fri], from: "22:00", until: "04:00" }, { from: "00:00", until: "24:00" }], gap: shift',
        "dates": "kind: deny, dates: [{ from: 2026-03-29T02:30, until: 2026-10-25T02:30 }], exempt: [security], manual: true",
        "pair": 'kind: deny, startCron: "0 18 * * 5", endCron: "0 8 * * 1", zone: Africa/Cairo, overrun: true',
        "valid": 'kind: deny, cron: "30 2 * * *", duration: 24h, durationMode: wall, validFrom: 2026-03-29T00:45:00Z, gates: [promote]',
        "refused-endless": 'kind: deny, cron: "0 0 * * *"',
        "refused-zone": 'kind: deny, cron: "0 0 * * *", duration: 1h, zone: Mars/Olympus',
    }
    for name, window in windows.items():
        seed("calendar", name, head + "    - { name: w, " + window + " }\n")
    argo = head.replace("  windows", "  precedence: argoCompat\n  windows") + '    - { name: w, kind: deny, cron: "30 2 * * *", duration: 30m, manual: true }\n'
    other = argo.replace("name: c }", "name: d }").replace("spec:", "spec:\n  scope: organisation")
    seed("calendar", "argo", argo)
    seed("calendar", "two", argo + "\x1e" + other)
    year_end = "\r\n".join(["BEGIN:VCALENDAR", *ICS["all-day"], "END:VCALENDAR", ""])
    seed("calendar", "ics", head + "    - { name: w, kind: deny, ics: 1.ics }\n\x1e" + year_end)


EVENT = ["BEGIN:VEVENT", "UID:1", "SUMMARY:Freeze\\, all of it"]
ICS = {
    "all-day": [*EVENT, "DTSTART;VALUE=DATE:20261221", "DTEND;VALUE=DATE:20270104", "END:VEVENT"],
    "one-day": [*EVENT, "DTSTART;VALUE=DATE:20261221", "END:VEVENT"],
    "series": [
        "X-WR-TIMEZONE:Europe/Berlin",
        *EVENT,
        "DTSTART;TZID=Europe/Berlin:20260105T180000",
        "DTEND;TZID=Europe/Berlin:20260106T060000",
        "RRULE:FREQ=WEEKLY;BYDAY=MO;UNTIL=20261231T000000Z",
        "EXDATE;TZID=Europe/Berlin:20260112T180000,20260119T180000",
        "RDATE;TZID=America/New_York:20260201T120000",
        "END:VEVENT",
        *EVENT,
        "RECURRENCE-ID;TZID=Europe/Berlin:20260126T180000",
        "DTSTART;TZID=Europe/Berlin:20260126T200000",
        "DURATION:PT2H",
        "END:VEVENT",
        *EVENT,
        "RECURRENCE-ID:20260202T170000Z",
        "DTSTART:20260202T170000Z",
        "DURATION:P1DT2H",
        "STATUS:CANCELLED",
        "END:VEVENT",
    ],
    "outlook": [
        "BEGIN:VTIMEZONE",
        "TZID:W. Europe Standard Time",
        "BEGIN:STANDARD",
        "DTSTART:16010101T030000",
        "TZOFFSETFROM:+0200",
        "TZOFFSETTO:+0100",
        "END:STANDARD",
        "END:VTIMEZONE",
        *EVENT,
        'DTSTART;TZID="W. Europe Standard Time":20260329T013000',
        'DTEND;TZID="W. Europe Standard Time":20260329T',
        " 033000",
        "BEGIN:VALARM",
        "TRIGGER:-PT15M",
        "END:VALARM",
        "END:VEVENT",
    ],
    "location": [
        "BEGIN:VTIMEZONE",
        "TZID:/example/Cairo",
        "X-LIC-LOCATION:Africa/Cairo",
        "END:VTIMEZONE",
        *EVENT,
        "DTSTART;TZID=/example/Cairo:20260424T003000",
        "DURATION:PT1H",
        "END:VEVENT",
    ],
    "tzid-with-a-path": [*EVENT, "DTSTART;TZID=/x.org/Europe/Berlin:20261025T023000", "DURATION:PT1H", "END:VEVENT"],
    "none": [],
    "floating": [*EVENT, "DTSTART:20261025T023000", "DURATION:P1W", "END:VEVENT"],
    "refused-zone": [*EVENT, "DTSTART;TZID=Mars:20261025T023000", "DURATION:PT1H", "END:VEVENT"],
    "refused-endless": [*EVENT, "DTSTART:20261025T023000", "END:VEVENT"],
    "refused-backwards": [*EVENT, "DTSTART:20261025T023000", "DTEND:20261025T013000", "END:VEVENT"],
    "refused-range": [
        *EVENT,
        "RECURRENCE-ID;RANGE=THISANDFUTURE:20261025T023000",
        "DTSTART:20261025T023000",
        "DURATION:PT1H",
        "END:VEVENT",
    ],
}


# Policy tests.

TEST_HEAD = "apiVersion: davy/v1\nkind: PolicyTest\nmetadata: { name: t }\nspec:\n"
TEST_BASE = (
    "  snapshots:\n    begun:\n      snapshot:\n        now: 2026-11-23T09:10:00Z\n        asked: keep\n        stage: canary\n"
    "        weight: 5%\n        since: 2026-11-23T09:00:00Z\n        release: { service: checkout, environment: prod, "
    "revision: r2, stable: r1, startedAt: 2026-11-23T09:00:00Z }\n"
)


def policy_tests():
    for name in ("checkout", "slos", "calendars"):
        seed("policy_test", name + ".yaml", (HERE.parent / "policies" / name / (name + "_test.yaml")).read_bytes())
    span = "intervals: [{ from: 2m, to: 9m, observations: [{ metric: errors, cohort: canary, bad: 3, total: 1204 }] }]"
    tests = {
        "short": "{ name: a, from: begun, expect: hold }",
        "observed": "{ name: a, from: begun, " + span + ", expect: { verdict: abort, hold: blind, codes: [steps.met] } }",
        "expects-nothing": "{ name: a, from: begun }",
        "patched": "{ name: a, from: begun, patch: { weight: 9%, release: { stable: null }, probes: [] }, expect: hold }",
        "looks": "{ name: a, looks: [{ from: begun }, { at: 11m, state: nextRelease, expect: { verdict: proceed, "
        "findings: [{ code: data.stale, outcome: fail, facts: { newest: 1, x: [2] } }] } }] }",
        "literal": "name: |-\n        a\n      from: begun",
        "no-file": "{ name: a, file: s.json, expect: hold }",
        "refused-no-base": "{ name: a, expect: hold }",
        "refused-codes": '{ name: a, from: begun, expect: { verdict: hold, codes: ["steps.dwel:x"] } }',
        "refused-span": "{ name: a, from: begun, intervals: [{ from: 9m, to: 2m, observations: [] }], expect: hold }",
    }
    for name, test in tests.items():
        seed("policy_test", name + ".yaml", TEST_HEAD + TEST_BASE + "  tests:\n    - " + test + "\n")
    seed("policy_test", "refused-empty.yaml", "")


TARGETS = ("bundle", "snapshot", "state", "record", "decide", "cron", "rrule", "ics", "calendar", "policy_test")
PROBE_TARGETS = ("flows", "answers", "har", "recordings")


def main():
    for target in TARGETS + PROBE_TARGETS + ("rules",):
        shutil.rmtree(CORPUS / target, ignore_errors=True)
        (CORPUS / target).mkdir(parents=True)
    bundles()
    snapshots()
    decisions()
    rules()
    calendars()
    policy_tests()
    flows()
    answers()
    har()


if __name__ == "__main__":
    main()
