/* The interface as a host in C meets it: test_davy POLICY_FOLDER GOLDEN_FOLDER */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test.h"

static davy_engine *engine;

static davy_bundle *bundle_of(const char *path, const char *content, size_t len) {
    davy_file file = {bytes_of(path), {(const uint8_t *)content, len}};
    davy_bundle *bundle = NULL;
    WORKS(davy_bundle_new(&file, 1, &bundle));
    return bundle;
}

static davy_snapshot *snapshot_of(const char *folder, const char *name) {
    size_t len = 0;
    char *json = read_text(folder, name, &len);
    davy_bytes bytes = {(const uint8_t *)json, len};
    davy_snapshot *snapshot = NULL;
    WORKS(davy_snapshot_from_json(bytes, &snapshot));
    free(json);
    return snapshot;
}

static davy_step *decide(const davy_state *state, const davy_snapshot *snapshot) {
    davy_step *step = NULL;
    WORKS(davy_decide(engine, state, snapshot, &step));
    return step;
}

static void records_are_the_golden_bytes(const char *policy, const char *golden) {
    static const struct {
        const char *name;
        davy_verdict verdict;
        davy_hold hold;
    } releases[] = {
        {"healthy", DAVY_PROCEED, DAVY_NO_HOLD},
        {"inconclusive", DAVY_HOLD, DAVY_WAITING},
        {"regressed", DAVY_ABORT, DAVY_NO_HOLD},
    };
    davy_state *fresh = NULL;
    WORKS(davy_state_new(&fresh));
    for (size_t i = 0; i < sizeof releases / sizeof *releases; i++) {
        char name[64];
        snprintf(name, sizeof name, "snapshots/%s.json", releases[i].name);
        davy_snapshot *snapshot = snapshot_of(policy, name);
        davy_step *step = decide(fresh, snapshot);
        davy_verdict verdict;
        davy_hold hold;
        WORKS(davy_step_verdict(step, &verdict));
        WORKS(davy_step_hold(step, &hold));
        CHECK(verdict == releases[i].verdict);
        CHECK(hold == releases[i].hold);

        davy_record *record = NULL, *again = NULL;
        davy_bytes sealed;
        WORKS(davy_step_seal(step, &record));
        WORKS(davy_record_bytes(record, &sealed));
        size_t len = 0;
        snprintf(name, sizeof name, "%s.record.json", releases[i].name);
        char *expected = read_text(golden, name, &len);
        CHECK(sealed.len == len && memcmp(sealed.data, expected, len) == 0);
        WORKS(davy_record_from_bytes(sealed, &again));
        WORKS(davy_record_replay(again, engine, fresh, snapshot));

        davy_state *next = NULL, *restored = NULL, *following = NULL;
        davy_buffer json = {0}, once_more = {0}, text = {0}, wanted = {0}, digest = {0};
        WORKS(davy_step_state(step, &next));
        WORKS(davy_state_to_json(next, &json));
        davy_bytes borrowed = {json.data, json.len};
        WORKS(davy_state_from_json(borrowed, &restored));
        WORKS(davy_state_to_json(restored, &once_more));
        CHECK(json.len == once_more.len && memcmp(json.data, once_more.data, json.len) == 0);
        WORKS(davy_state_next_release(restored, &following));
        REFUSED(davy_record_replay(again, engine, next, snapshot), DAVY_REPLAY);

        WORKS(davy_step_decision_text(step, &text));
        CHECK(text.len == strlen((const char *)text.data)); /* a zero behind the last byte */
        WORKS(davy_requirements(engine, fresh, snapshot, &wanted));
        CHECK(wanted.data[0] == '[');
        WORKS(davy_record_digest(record, &digest));
        CHECK(strncmp((const char *)digest.data, "sha256:", 7) == 0);

        davy_buffer_free(&digest);
        davy_buffer_free(&wanted);
        davy_buffer_free(&text);
        davy_buffer_free(&once_more);
        davy_buffer_free(&json);
        davy_buffer_free(&json); /* a second time is fine */
        davy_state_free(following);
        davy_state_free(restored);
        davy_state_free(next);
        davy_record_free(again);
        davy_record_free(record);
        free(expected);
        davy_step_free(step);
        davy_snapshot_free(snapshot);
    }
    davy_state_free(fresh);
}

#define RELEASE                                                                                                        \
    "\"release\":{\"service\":\"checkout\",\"environment\":\"prod\",\"revision\":\"r2\",\"stable\":\"r1\","               \
    "\"startedAt\":\"2026-11-26T10:00:00Z\"}"
#define HEAD                                                                                                           \
    "{\"now\":\"2026-11-26T10:05:00Z\",\"asked\":\"keep\",\"stage\":\"canary\",\"weight\":\"5%\","                       \
    "\"since\":\"2026-11-26T10:00:00Z\"," RELEASE

static void columns_say_what_json_says(void) {
    static const int64_t starts[] = {INT64_C(1795687200000), INT64_C(1795687230000)};
    static const uint64_t bad[] = {3, 0}, total[] = {1204, DAVY_NO_DATA}, searches[] = {10, 2};
    static const uint64_t at_most[] = {5, 9, 1, 2}, zero[] = {1, 0}, count[] = {8, 1};
    static const double bounds[] = {0.1, 0.5}, load[] = {0.5, 0.75};
    static const size_t offsets[] = {0, 2, 2};
    static const int32_t index[] = {-4, 7};
    davy_series series[4];
    memset(series, 0, sizeof series);
    for (size_t i = 0; i < 4; i++) {
        series[i].size = sizeof(davy_series);
        series[i].rows = 2;
        series[i].starts_ms = starts;
        series[i].cohort = DAVY_CANARY;
    }
    series[0].metric = bytes_of("errors"), series[0].form = DAVY_COUNTS;
    series[0].bad = bad, series[0].total = total;
    series[1].metric = bytes_of("cpu"), series[1].form = DAVY_GAUGE, series[1].gauge = load;
    series[2].metric = bytes_of("search"), series[2].form = DAVY_BUCKETS, series[2].cohort = DAVY_BASELINE;
    series[2].bounds = bounds, series[2].bounds_len = 2, series[2].bad = at_most, series[2].total = searches;
    series[3].metric = bytes_of("latency"), series[3].form = DAVY_HISTOGRAM, series[3].replica = bytes_of("pod-1");
    series[3].schema = 3, series[3].zero = zero, series[3].offsets = offsets, series[3].index = index;
    series[3].bad = count;

    davy_snapshot *columns = NULL, *json = NULL;
    WORKS(davy_snapshot_from_json(bytes_of(HEAD "}"), &columns));
    WORKS(davy_snapshot_add_series(columns, 30000, series, 4));
    WORKS(davy_snapshot_from_json(
        bytes_of(HEAD
                 ",\"intervals\":["
                 "{\"start\":\"2026-11-26T10:00:00Z\",\"end\":\"2026-11-26T10:00:30Z\",\"observations\":["
                 "{\"metric\":\"errors\",\"cohort\":\"canary\",\"bad\":3,\"total\":1204},"
                 "{\"metric\":\"cpu\",\"cohort\":\"canary\",\"gauge\":0.5},"
                 "{\"metric\":\"search\",\"cohort\":\"baseline\",\"buckets\":{\"atMost\":[[0.1,5],[0.5,9]],\"total\":10}},"
                 "{\"metric\":\"latency\",\"cohort\":\"canary\",\"replica\":\"pod-1\","
                 "\"histogram\":{\"schema\":3,\"zero\":1,\"buckets\":[[-4,8],[7,1]]}}]},"
                 "{\"start\":\"2026-11-26T10:00:30Z\",\"end\":\"2026-11-26T10:01:00Z\",\"observations\":["
                 "{\"metric\":\"errors\",\"cohort\":\"canary\",\"missing\":\"noData\"},"
                 "{\"metric\":\"cpu\",\"cohort\":\"canary\",\"gauge\":0.75},"
                 "{\"metric\":\"search\",\"cohort\":\"baseline\",\"buckets\":{\"atMost\":[[0.1,1],[0.5,2]],\"total\":2}},"
                 "{\"metric\":\"latency\",\"cohort\":\"canary\",\"replica\":\"pod-1\","
                 "\"histogram\":{\"schema\":3,\"zero\":0,\"buckets\":[]}}]}]}"),
        &json));
    davy_buffer one = {0}, other = {0};
    WORKS(davy_snapshot_to_json(columns, &one));
    WORKS(davy_snapshot_to_json(json, &other));
    CHECK(one.len == other.len && memcmp(one.data, other.data, one.len) == 0);

    series[0].size = 8;
    REFUSED(davy_snapshot_add_series(columns, 30000, series, 1), DAVY_USAGE);
    series[0].size = sizeof(davy_series);
    series[0].form = 99;
    REFUSED(davy_snapshot_add_series(columns, 30000, series, 1), DAVY_USAGE);
    series[0].form = DAVY_COUNTS;
    series[0].total = zero; /* more bad events than events */
    REFUSED(davy_snapshot_add_series(columns, 30000, series, 1), DAVY_SERIES);
    series[0].bad = NULL;
    REFUSED(davy_snapshot_add_series(columns, 30000, series, 1), DAVY_USAGE);
    davy_buffer after = {0};
    WORKS(davy_snapshot_to_json(columns, &after)); /* nothing was added in part */
    CHECK(after.len == one.len);
    davy_buffer_free(&after);
    davy_buffer_free(&other);
    davy_buffer_free(&one);
    davy_snapshot_free(json);
    davy_snapshot_free(columns);
}

static void errors_say_what_and_where(void) {
    davy_bundle *bundle = NULL;
    davy_snapshot *snapshot = NULL;
    davy_file broken = {bytes_of("rollouts.yaml"), bytes_of("apiVersion: davy/v1\nkind: Rolout\n")};
    davy_error *error = davy_bundle_new(&broken, 1, &bundle);
    CHECK(error != NULL && bundle == NULL);
    CHECK(davy_error_kind_of(error) == DAVY_POLICY);
    CHECK(davy_error_line(error) == 2 && davy_error_column(error) == 7);
    CHECK(davy_error_code(error).len == 4 && davy_error_hint(error).len > 0);
    CHECK(davy_error_file(error).len == strlen("rollouts.yaml"));
    davy_buffer list = {0}, linted = {0};
    davy_error_json(error, &list);
    WORKS(davy_lint(&broken, 1, &linted));
    CHECK(list.len == linted.len && memcmp(list.data, linted.data, list.len) == 0);
    davy_buffer_free(&linted);
    davy_buffer_free(&list);
    davy_error_free(error);

    error = davy_snapshot_from_json(bytes_of("{\n \"now\": 3}"), &snapshot);
    CHECK(davy_error_kind_of(error) == DAVY_SNAPSHOT && davy_error_line(error) == 2);
    davy_error_free(error);

    davy_bytes nothing = {NULL, 0}, lying = {NULL, 7};
    REFUSED(davy_snapshot_from_json(nothing, &snapshot), DAVY_SNAPSHOT);
    REFUSED(davy_snapshot_from_json(lying, &snapshot), DAVY_USAGE);
    REFUSED(davy_bundle_new(NULL, 1, &bundle), DAVY_USAGE);
    REFUSED(davy_bundle_new(&broken, 1, NULL), DAVY_POLICY);
    REFUSED(davy_engine_new(NULL, NULL, &engine), DAVY_USAGE);
    REFUSED(davy_decide(NULL, NULL, NULL, NULL), DAVY_USAGE);
    REFUSED(davy_state_new(NULL), DAVY_USAGE);
    REFUSED(davy_snapshot_add_series(NULL, 1, NULL, 0), DAVY_USAGE);
    REFUSED(davy_record_replay(NULL, NULL, NULL, NULL), DAVY_USAGE);
    davy_record *record = NULL;
    REFUSED(davy_record_from_bytes(bytes_of("{}"), &record), DAVY_REPLAY);
    davy_error_free(NULL);
    davy_bundle_free(NULL);
    davy_buffer_free(NULL);
    CHECK(davy_error_message(NULL).len == 0 && davy_error_line(NULL) == 0);
}

static const char FLOW[] = "apiVersion: davy/v1\n"
                           "kind: ProbeFlow\n"
                           "metadata: { name: home }\n"
                           "spec:\n"
                           "  targets: { prod: { baseUrl: https://shop.example, addressPolicy: any, canary: { headers: { x-canary: always } } } }\n"
                           "  steps: [{ id: home, request: { path: / }, expect: { status: 200, cel: \"body.startsWith('Wel') && durationMs < 500\" } }]\n";

static void a_probe_is_driven_by_a_poll_loop(const char *policy) {
    size_t len = 0;
    char *rollouts = read_text(policy, "rollouts.yaml", &len);
    davy_file files[] = {
        {bytes_of("rollouts.yaml"), {(const uint8_t *)rollouts, len}},
        {bytes_of("home.yaml"), bytes_of(FLOW)},
    };
    davy_bundle *bundle = NULL;
    char wrong[sizeof FLOW];
    memcpy(wrong, FLOW, sizeof FLOW);
    memcpy(strstr(wrong, "body.starts"), "bod_", 4);
    davy_file slips[] = {files[0], {bytes_of("home.yaml"), bytes_of(wrong)}};
    REFUSED(davy_bundle_new(slips, 2, &bundle), DAVY_POLICY);
    WORKS(davy_bundle_new(files, 2, &bundle));
    davy_probe_run *run = NULL;
    int64_t now = INT64_C(1795687200000);
    davy_probe_options options = {.size = sizeof options, .record = 1, .location = bytes_of("eu-1")};
    options.cohort = bytes_of("neither");
    REFUSED(davy_probe_run_new(bundle, bytes_of("home"), bytes_of("prod"), 1, &options, now, &run), DAVY_USAGE);
    options.cohort = bytes_of("baseline"); /* which the target does not lead to */
    REFUSED(davy_probe_run_new(bundle, bytes_of("home"), bytes_of("prod"), 1, &options, now, &run), DAVY_PROBE);
    REFUSED(davy_probe_run_new(bundle, bytes_of("nope"), bytes_of("prod"), 1, NULL, now, &run), DAVY_PROBE);
    WORKS(davy_probe_run_new(bundle, bytes_of("home"), bytes_of("prod"), 1, NULL, now, &run));
    REFUSED(davy_probe_run_cancel(run, now, bytes_of("bored")), DAVY_USAGE);
    WORKS(davy_probe_run_cancel(run, now, bytes_of("stopping")));
    davy_buffer cancelled = {0};
    WORKS(davy_probe_run_poll(run, now, &cancelled));
    CHECK(strncmp((const char *)cancelled.data, "{\"done\":", 8) == 0);
    CHECK(strstr((const char *)cancelled.data, "\"verdict\":\"skipped\"") != NULL);
    davy_buffer_free(&cancelled);
    davy_probe_run_free(run);
    run = NULL;
    options.cohort = bytes_of("canary");
    WORKS(davy_probe_run_new(bundle, bytes_of("home"), bytes_of("prod"), 1, &options, now, &run));
    int answered = 0, done = 0;
    for (int turn = 0; turn < 20 && !done; turn++) {
        davy_buffer next = {0};
        WORKS(davy_probe_run_poll(run, now, &next));
        const char *json = (const char *)next.data;
        unsigned long long effect = 0;
        if (sscanf(json, "{\"effect\":[%llu", &effect) == 1) {
            CHECK(strstr(json, "https://shop.example/") != NULL && strstr(json, "x-canary") != NULL);
            const char *answer = "{\"http\":{\"status\":200,\"version\":\"1.1\",\"headers\":[],\"body\":\"Welcome\"}}";
            WORKS(davy_probe_run_handle(run, now, effect, bytes_of(answer)));
            REFUSED(davy_probe_run_handle(run, now, effect, bytes_of(answer)), DAVY_PROBE);
            answered++;
        } else if (strncmp(json, "{\"done\":", 8) == 0) {
            CHECK(strstr(json, "\"verdict\":\"pass\"") != NULL);
            CHECK(strstr(json, "\"cohort\":\"canary\"") != NULL && strstr(json, "\"location\":\"eu-1\"") != NULL);
            done = 1;
        }
        now += 1000;
        davy_buffer_free(&next);
    }
    CHECK(answered == 1 && done);
    davy_buffer recording = {0};
    WORKS(davy_probe_run_recording(run, &recording));
    CHECK(recording.len > 0);
    davy_buffer_free(&recording);
    davy_probe_run_free(run);
    davy_bundle_free(bundle);
    free(rollouts);
}

struct worker {
    const davy_state *state;
    const davy_snapshot *snapshot;
    davy_bytes expected;
};

static void *work(void *given) {
    const struct worker *worker = given;
    for (int turn = 0; turn < 25; turn++) {
        davy_step *step = decide(worker->state, worker->snapshot);
        davy_record *record = NULL;
        davy_bytes sealed;
        WORKS(davy_step_seal(step, &record));
        WORKS(davy_record_bytes(record, &sealed));
        CHECK(sealed.len == worker->expected.len && memcmp(sealed.data, worker->expected.data, sealed.len) == 0);
        davy_record_free(record);
        davy_step_free(step);
    }
    return NULL;
}

static void eight_threads_share_the_handles(const char *policy) {
    davy_state *state = NULL;
    WORKS(davy_state_new(&state));
    davy_snapshot *snapshot = snapshot_of(policy, "snapshots/regressed.json");
    davy_step *step = decide(state, snapshot);
    davy_record *record = NULL;
    struct worker worker = {state, snapshot, {NULL, 0}};
    WORKS(davy_step_seal(step, &record));
    WORKS(davy_record_bytes(record, &worker.expected));
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) CHECK(pthread_create(&threads[i], NULL, work, &worker) == 0);
    for (int i = 0; i < 8; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    davy_record_free(record);
    davy_step_free(step);
    davy_snapshot_free(snapshot);
    davy_state_free(state);
}

/* Whether a text stands in a buffer, which ends with a zero. */
static int says(const davy_buffer *buffer, const char *text) {
    return strstr((const char *)buffer->data, text) != NULL;
}

static const char planned[] =
    "apiVersion: davy/v1\nkind: Rollout\nmetadata: { name: checkout }\nspec:\n"
    "  steps: [{ weight: 5%, atLeast: 5m }, { weight: 50%, atLeast: 10m }]\n"
    "  health:\n    every: 30s\n    judge: evidence\n    metrics:\n"
    "      - { name: errors, bad: bad_total, total: all_total, tolerate: 1.1x, unacceptable: 1.5x }\n"
    "  environments: { prod: {} }\n";

static void a_plan_says_what_can_be_detected(void) {
    davy_bundle *bundle = bundle_of("rollouts.yaml", planned, sizeof planned - 1);
    davy_plan_options options = {.size = sizeof options};
    davy_buffer plan = {0};
    options.environment = bytes_of("prod");
    options.requests = bytes_of("50/s");
    options.bad = bytes_of("1%");
    options.p50 = bytes_of("40ms");
    WORKS(davy_plan(bundle, &options, &plan));
    CHECK(says(&plan, "\"environment\":\"prod\"") && says(&plan, "\"requests\":\"50/s\""));
    CHECK(says(&plan, "\"falseAborts\"") && says(&plan, "\"shortfalls\""));
    davy_buffer_free(&plan);
    options.requests = bytes_of("50 per second");
    REFUSED(davy_plan(bundle, &options, &plan), DAVY_USAGE);
    options.requests = bytes_of("50/s");
    options.environment = bytes_of("nowhere/else");
    REFUSED(davy_plan(bundle, &options, &plan), DAVY_USAGE);
    options.environment = bytes_of("prod");
    options.noise = bytes_of("loud");
    REFUSED(davy_plan(bundle, &options, &plan), DAVY_USAGE);
    options.noise = bytes_of("mixed");
    options.replicas = 10;
    WORKS(davy_plan(bundle, &options, &plan));
    CHECK(says(&plan, "\"replicas\":10,\"noise\":{\"errors\":{\"spread\":\"30%\""));
    davy_buffer_free(&plan);
    /* Of what was observed counts what is not said. */
    davy_snapshot *snapshot = NULL;
    WORKS(davy_snapshot_from_json(
        bytes_of(HEAD ", \"intervals\": [{ \"start\": \"2026-11-26T10:00:00Z\", \"end\": \"2026-11-26T10:01:00Z\","
                      " \"observations\": [{ \"metric\": \"errors\", \"cohort\": \"baseline\", \"bad\": 42, \"total\": 2100 }] }] }"),
        &snapshot));
    options.snapshot = snapshot;
    options.bad = bytes_of("");
    WORKS(davy_plan(bundle, &options, &plan));
    CHECK(says(&plan, "\"requests\":\"50/s\",\"bad\":\"2%\""));
    davy_buffer_free(&plan);
    davy_snapshot_free(snapshot);
    WORKS(davy_snapshot_from_json(bytes_of(HEAD "}"), &snapshot));
    options.snapshot = snapshot;
    REFUSED(davy_plan(bundle, &options, &plan), DAVY_USAGE);
    davy_snapshot_free(snapshot);
    options.size = 0;
    REFUSED(davy_plan(bundle, &options, &plan), DAVY_USAGE);
    REFUSED(davy_plan(NULL, NULL, &plan), DAVY_USAGE);
    CHECK(plan.data == NULL);
    WORKS(davy_plan(bundle, NULL, &plan));
    davy_buffer_free(&plan);
    davy_bundle_free(bundle);
}

/* Room for a structure of an older header, which had fewer fields: behind it is a page that nobody may read. */
static void *room_for(size_t size) {
    static uint8_t *pages = NULL;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (pages == NULL) {
        pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(pages != MAP_FAILED && mprotect(pages + page, page, PROT_NONE) == 0);
    }
    CHECK(size <= page);
    return pages + page - size;
}

static davy_buffer planned_for(const davy_bundle *bundle, const davy_plan_options *options) {
    davy_buffer plan = {0};
    WORKS(davy_plan(bundle, options, &plan));
    return plan;
}

static void structures_of_an_older_header_are_read_as_far_as_they_go(void) {
    davy_bundle *bundle = bundle_of("rollouts.yaml", planned, sizeof planned - 1);
    davy_plan_options options = {.size = sizeof options, .requests = bytes_of("50/s"), .bad = bytes_of("1%")};
    davy_buffer whole = planned_for(bundle, &options);
    options.size = offsetof(davy_plan_options, replicas);
    davy_buffer older = planned_for(bundle, memcpy(room_for(options.size), &options, options.size));
    CHECK(older.len == whole.len && memcmp(older.data, whole.data, older.len) == 0);
    davy_buffer_free(&older);
    davy_buffer_free(&whole);

    /* As small as can be, and smaller. */
    size_t *size = room_for(sizeof *size);
    *size = sizeof *size;
    davy_buffer nothing = planned_for(bundle, NULL);
    older = planned_for(bundle, (const davy_plan_options *)size);
    CHECK(older.len == nothing.len && memcmp(older.data, nothing.data, older.len) == 0);
    davy_buffer_free(&older);
    davy_buffer_free(&nothing);
    davy_engine *made = NULL;
    WORKS(davy_engine_new(bundle, (const davy_engine_options *)size, &made));
    davy_engine_free(made);
    *size = sizeof *size - 1;
    REFUSED(davy_plan(bundle, (const davy_plan_options *)size, &older), DAVY_USAGE);
    davy_bundle_free(bundle);

    /* Two series without the last field, one behind the other. */
    static const int64_t starts[] = {INT64_C(1795687200000)};
    static const uint64_t bad[] = {3}, total[] = {1204};
    size_t each = offsetof(davy_series, index);
    uint8_t *series = room_for(2 * each);
    for (int i = 0; i < 2; i++) {
        davy_series one = {.size = each, .metric = bytes_of(i == 0 ? "errors" : "refusals"), .rows = 1, .form = DAVY_COUNTS};
        one.starts_ms = starts, one.bad = bad, one.total = total;
        memcpy(series + (size_t)i * each, &one, each);
    }
    davy_snapshot *snapshot = NULL;
    davy_buffer json = {0};
    WORKS(davy_snapshot_from_json(bytes_of(HEAD "}"), &snapshot));
    WORKS(davy_snapshot_add_series(snapshot, 30000, (const davy_series *)series, 2));
    WORKS(davy_snapshot_to_json(snapshot, &json));
    CHECK(says(&json, "\"metric\":\"errors\"") && says(&json, "\"metric\":\"refusals\""));
    davy_buffer_free(&json);
    *(size_t *)(series + each) = each - sizeof(size_t); /* of another size than the first */
    REFUSED(davy_snapshot_add_series(snapshot, 30000, (const davy_series *)series, 2), DAVY_USAGE);
    *(size_t *)series = each - 1; /* they would not be aligned */
    REFUSED(davy_snapshot_add_series(snapshot, 30000, (const davy_series *)series, 2), DAVY_USAGE);
    davy_snapshot_free(snapshot);
}

static const char held[] =
    "apiVersion: davy/v1\nkind: Rollout\nmetadata: { name: checkout }\nspec:\n"
    "  health: { metrics: [{ name: errors, bad: bad_total, total: all_total, max: 1% }] }\n"
    "  calendars: [office-hours]\n";
static const char office_hours[] =
    "apiVersion: davy/v1\nkind: Calendar\nmetadata: { name: office-hours }\nspec:\n"
    "  zone: Europe/Berlin\n  selector: { everything: true }\n"
    "  windows: [{ name: weekdays, kind: allow, cron: '0 9 * * MON-FRI', duration: 8h }]\n";
static const char friday_night[] =
    "{ \"now\": \"2026-11-27T20:00:00Z\", \"asked\": \"start\", \"stage\": \"canary\", \"weight\": \"0%\","
    " \"since\": \"2026-11-27T20:00:00Z\", \"release\": { \"service\": \"checkout\", \"environment\": \"prod\","
    " \"revision\": \"r2\", \"stable\": \"r1\", \"startedAt\": \"2026-11-27T20:00:00Z\" } }";

static const char of_another_service[] =
    "{ \"now\": \"2026-11-27T20:00:00Z\", \"asked\": \"start\", \"stage\": \"canary\", \"weight\": \"0%\","
    " \"since\": \"2026-11-27T20:00:00Z\", \"release\": { \"service\": \"search\", \"environment\": \"prod\","
    " \"revision\": \"r2\", \"stable\": \"r1\", \"startedAt\": \"2026-11-27T20:00:00Z\" } }";

static void windows_say_what_they_hold_and_until_when(void) {
    davy_file files[] = {{bytes_of("rollouts.yaml"), bytes_of(held)}, {bytes_of("office.yaml"), bytes_of(office_hours)}};
    davy_bundle *bundle = NULL;
    davy_engine *calendar = NULL;
    davy_snapshot *snapshot = NULL;
    davy_buffer said = {0};
    WORKS(davy_bundle_new(files, 2, &bundle));
    WORKS(davy_engine_new(bundle, NULL, &calendar));
    WORKS(davy_snapshot_from_json(bytes_of(friday_night), &snapshot));
    WORKS(davy_calendar_explain(calendar, snapshot, &said));
    CHECK(says(&said, "outside `office-hours/weekdays`; it may go on at 2026-11-30T08:00:00Z"));
    davy_buffer_free(&said);
    WORKS(davy_calendar_next(calendar, snapshot, 0, &said));
    CHECK(says(&said, "\"from\":\"2026-11-30T08:00:00Z\",\"open\":true"));
    davy_buffer_free(&said);
    /* Until 2026-12-01T00:00:00Z. */
    WORKS(davy_calendar_list(calendar, snapshot, 1796083200000, &said));
    CHECK(says(&said, "\"end\":\"2026-11-30T16:00:00Z\"") && !says(&said, "2026-12-01"));
    davy_buffer_free(&said);
    REFUSED(davy_calendar_next(NULL, snapshot, 0, &said), DAVY_USAGE);
    davy_snapshot_free(snapshot);
    /* A release of another service: no answer, rather than one without windows. */
    WORKS(davy_snapshot_from_json(bytes_of(of_another_service), &snapshot));
    REFUSED(davy_calendar_explain(calendar, snapshot, &said), DAVY_USAGE);
    REFUSED(davy_calendar_next(calendar, snapshot, 0, &said), DAVY_USAGE);
    REFUSED(davy_calendar_list(calendar, snapshot, 1796083200000, &said), DAVY_USAGE);
    davy_snapshot_free(snapshot);
    davy_engine_free(calendar);
    davy_bundle_free(bundle);
}

#ifdef DAVY_PANIC_FOR_TESTS
static void a_panic_poisons_its_handle_and_no_other(const char *policy) {
    davy_snapshot *one = snapshot_of(policy, "snapshots/healthy.json");
    davy_snapshot *other = snapshot_of(policy, "snapshots/healthy.json");
    davy_state *state = NULL;
    davy_buffer json = {0};
    WORKS(davy_state_new(&state));
    REFUSED(davy_panic_for_tests(one), DAVY_PANIC);
    davy_step *step = NULL;
    REFUSED(davy_decide(engine, state, one, &step), DAVY_POISONED);
    REFUSED(davy_snapshot_to_json(one, &json), DAVY_POISONED);
    REFUSED(davy_snapshot_add_series(one, 1, NULL, 0), DAVY_POISONED);
    step = decide(state, other);
    davy_step_free(step);
    davy_state_free(state);
    davy_snapshot_free(other);
    davy_snapshot_free(one);
}
#endif

int main(int argc, char **argv) {
    CHECK(argc == 3);
    CHECK(davy_abi_version() == DAVY_ABI_VERSION);
    CHECK(strlen(davy_version()) > 0 && davy_semantics() > 0);
    size_t len = 0;
    char *rollouts = read_text(argv[1], "rollouts.yaml", &len);
    davy_bundle *bundle = bundle_of("rollouts.yaml", rollouts, len);
    davy_engine_options options = {sizeof options};
    WORKS(davy_engine_new(bundle, &options, &engine));
    options.size = 0;
    davy_engine *refused = NULL;
    REFUSED(davy_engine_new(bundle, &options, &refused), DAVY_USAGE);
    davy_buffer digest = {0};
    WORKS(davy_bundle_digest(bundle, &digest));
    davy_buffer_free(&digest);
    davy_bundle_free(bundle); /* an engine outlives its bundle */
    free(rollouts);

    a_plan_says_what_can_be_detected();
    structures_of_an_older_header_are_read_as_far_as_they_go();
    windows_say_what_they_hold_and_until_when();
    records_are_the_golden_bytes(argv[1], argv[2]);
    columns_say_what_json_says();
    davy_engine *kept = engine;
    errors_say_what_and_where();
    engine = kept;
    a_probe_is_driven_by_a_poll_loop(argv[1]);
    eight_threads_share_the_handles(argv[1]);
#ifdef DAVY_PANIC_FOR_TESTS
    a_panic_poisons_its_handle_and_no_other(argv[1]);
#endif
    davy_engine_free(engine);
    printf("9 passed, 0 failed\n");
    return 0;
}
