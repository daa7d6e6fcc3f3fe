// What the owners of davy.hpp do beyond a decision: plans, change windows, probes and plugins. all CORPUS_FOLDER
#define DAVY_PLUGINS
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "davy.hpp"

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            std::fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);                         \
            std::exit(1);                                                                                              \
        }                                                                                                              \
    } while (0)

static std::string read(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot read " + path);
    return {std::istreambuf_iterator<char>(file), {}};
}

static bool says(const std::string &text, const char *part) { return text.find(part) != std::string::npos; }

template <class Call> static davy_error_kind refusal(Call call) {
    try {
        call();
    } catch (const davy::Error &error) {
        CHECK(says(error.diagnostics, "\"severity\":\"error\"") == (error.kind == DAVY_POLICY));
        return error.kind;
    }
    CHECK(!"refused");
    return DAVY_PANIC;
}

static std::string asked(const char *what, const char *service, const char *more) {
    return std::string(R"({ "now": "2026-11-27T20:00:00Z", "stage": "canary", "weight": "5%",
        "since": "2026-11-27T19:59:30Z", "asked": ")") +
           what + R"(", "release": { "service": ")" + service +
           R"(", "environment": "prod", "revision": "r2", "stable": "r1", "startedAt": "2026-11-27T19:59:30Z" })" + more +
           "}";
}

static const char rollout[] = R"(
apiVersion: davy/v1
kind: Rollout
metadata: { name: checkout }
spec:
  steps: [{ weight: 5%, atLeast: 5m }, { weight: 50%, atLeast: 10m }]
  health:
    every: 30s
    judge: evidence
    metrics: [{ name: errors, bad: bad_total, total: all_total, tolerate: 1.1x, unacceptable: 1.5x }]
  environments: { prod: {} }
  calendars: [office-hours]
)";
static const char office_hours[] = R"(
apiVersion: davy/v1
kind: Calendar
metadata: { name: office-hours }
spec:
  zone: Europe/Berlin
  selector: { everything: true }
  windows: [{ name: weekdays, kind: allow, cron: '0 9 * * MON-FRI', duration: 8h }]
)";
static const char home[] = R"(
apiVersion: davy/v1
kind: ProbeFlow
metadata: { name: home }
spec:
  targets: { prod: { baseUrl: https://shop.example, addressPolicy: any, canary: { headers: { x-canary: always } } } }
  steps: [{ id: home, request: { path: / }, expect: { status: 200 } }]
)";

static davy::Bundle checkout() {
    return davy::Bundle({{"rollouts.yaml", rollout}, {"office.yaml", office_hours}, {"home.yaml", home}});
}

static void plans_and_windows() {
    const davy::Bundle bundle = checkout();
    davy::Traffic known;
    known.environment = "prod";
    known.requests = "50/s";
    known.bad = "1%";
    CHECK(says(bundle.plan(known), "\"requests\":\"50/s\""));
    known.requests = "50 per second";
    CHECK(refusal([&] { bundle.plan(known); }) == DAVY_USAGE);
    CHECK(refusal([] { davy::Bundle(davy::Bundle::Files{{"rollouts.yaml", "kind: Rollout"}}); }) == DAVY_POLICY);

    const davy::Engine engine(bundle);
    const davy::Snapshot friday(asked("start", "checkout", ""));
    CHECK(says(engine.explain_windows(friday), "outside `office-hours/weekdays`"));
    CHECK(says(engine.next_windows(friday), "\"from\":\"2026-11-30T08:00:00Z\",\"open\":true"));
    CHECK(says(engine.list_windows(friday, 1796083200000), "\"end\":\"2026-11-30T16:00:00Z\""));
    std::puts("ok   plans and change windows");
}

static void a_probe_is_driven_by_a_poll_loop() {
    const davy::Bundle bundle = checkout();
    std::int64_t now = 1795687200000;
    CHECK(refusal([&] { davy::ProbeRun(bundle, "nope", "prod", 1, now); }) == DAVY_PROBE);
    davy::ProbeRun stopped(bundle, "home", "prod", 1, now);
    stopped.cancel(now, "stopping");
    CHECK(says(stopped.poll(now), "\"verdict\":\"skipped\"") && stopped.recording().empty());

    davy::ProbeOptions how;
    how.record = true;
    how.cohort = "canary";
    how.location = "eu-1";
    davy::ProbeRun run(bundle, "home", "prod", 2, now, how);
    int answered = 0;
    std::string next = run.poll(now);
    for (int turn = 0; turn < 20 && next.rfind("{\"done\":", 0) != 0; turn++, next = run.poll(now)) {
        std::uint64_t effect = 0;
        if (std::sscanf(next.c_str(), "{\"effect\":[%" SCNu64, &effect) == 1) {
            CHECK(says(next, "https://shop.example/") && says(next, "x-canary"));
            run.handle(now, effect, R"({"http":{"status":200,"version":"1.1","headers":[],"body":""}})");
            answered++;
        }
        now += 1000;
    }
    CHECK(answered == 1 && says(next, "\"verdict\":\"pass\"") && says(next, "\"location\":\"eu-1\""));
    CHECK(!run.recording().empty());
    std::puts("ok   a probe by a poll loop");
}

static void a_plugin_measures_before_a_decision(const std::string &corpus) {
    const std::string folder = corpus + "/bundles/plugin/";
    const davy::Bundle bundle(
        {{"rollouts.yaml", read(folder + "rollouts.yaml")}, {"sum.wasm", read(folder + "sum.wasm")}});
    const davy::Engine engine(bundle);
    const davy::Plugins plugins(bundle);
    CHECK(plugins.warnings() == "[]");
    davy::Snapshot deep(asked("promote", "shop", R"(, "intervals": [{
        "start": "2026-11-27T19:59:30Z", "end": "2026-11-27T20:00:00Z",
        "observations": [{ "metric": "depth.samples", "cohort": "canary", "gauge": 10.5 }] }])"));
    const davy::State before;
    CHECK(engine.decide(before, deep).verdict() == DAVY_HOLD); // nobody has measured
    engine.measure(plugins, deep);
    CHECK(engine.decide(before, deep).verdict() == DAVY_ABORT);
    CHECK(says(plugins.turn(R"({ "step": "a", "native": "walk", "parameters": "{}", "baseUrl": "https://shop.example",
        "now": "2026-11-27T20:00:00Z", "random": 1, "requests": 0, "state": "", "event": "begin" })"),
               "the host has not loaded the plugin"));
    CHECK(refusal([&] { plugins.turn("{}"); }) == DAVY_PROBE);
    std::puts("ok   a plugin measures before a decision");
}

int main(int argc, char **argv) try {
    CHECK(argc == 2);
    plans_and_windows();
    a_probe_is_driven_by_a_poll_loop();
    a_plugin_measures_before_a_decision(argv[1]);
    return 0;
} catch (const std::exception &error) {
    std::fprintf(stderr, "all: %s\n", error.what());
    return 1;
}
