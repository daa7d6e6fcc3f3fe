/* WebAssembly plugins: measured before the decision, with the values that every host measures. plugins CORPUS_FOLDER SCRATCH_FOLDER */
#define DAVY_PLUGINS
#include <dirent.h>

#include "test.h"

#define RELEASE                                                                                                        \
    "\"now\": \"2026-11-26T10:00:30Z\", \"asked\": \"promote\", \"stage\": \"canary\", \"weight\": \"5%%\", "                \
    "\"since\": \"2026-11-26T10:00:00Z\", \"release\": { \"service\": \"shop\", \"environment\": \"prod\", "                \
    "\"revision\": \"r2\", \"stable\": \"r1\", \"startedAt\": \"2026-11-26T10:00:00Z\" }"

static davy_bundle *bundle_of(const char *corpus, const char *from, const char *to) {
    size_t lens[2];
    char *rollouts = read_text(corpus, "bundles/plugin/rollouts.yaml", &lens[0]);
    char *component = read_text(corpus, "bundles/plugin/sum.wasm", &lens[1]);
    if (from != NULL) {
        char *place = strstr(rollouts, from);
        CHECK(place != NULL && strlen(from) == strlen(to));
        memcpy(place, to, strlen(to));
    }
    davy_file files[2] = {
        {bytes_of("rollouts.yaml"), {(const uint8_t *)rollouts, lens[0]}},
        {bytes_of("sum.wasm"), {(const uint8_t *)component, lens[1]}},
    };
    davy_bundle *bundle = NULL;
    WORKS(davy_bundle_new(files, 2, &bundle));
    free(rollouts);
    free(component);
    return bundle;
}

static davy_snapshot *depth(const char *gauge) {
    char json[2048];
    snprintf(json, sizeof json,
             "{ " RELEASE ", \"intervals\": [{ \"start\": \"2026-11-26T10:00:00Z\", \"end\": \"2026-11-26T10:00:30Z\", "
             "\"observations\": [{ \"metric\": \"depth.samples\", \"cohort\": \"canary\", \"gauge\": %s }] }] }",
             gauge);
    davy_snapshot *snapshot = NULL;
    WORKS(davy_snapshot_from_json(bytes_of(json), &snapshot));
    return snapshot;
}

static davy_verdict decide(const davy_engine *engine, const davy_snapshot *snapshot) {
    davy_state *state = NULL;
    davy_step *step = NULL;
    davy_verdict verdict;
    WORKS(davy_state_new(&state));
    WORKS(davy_decide(engine, state, snapshot, &step));
    WORKS(davy_step_verdict(step, &verdict));
    davy_step_free(step);
    davy_state_free(state);
    return verdict;
}

/* Whether a text is in a buffer, which is freed; davy puts a zero behind its bytes. */
static int in_buffer(davy_buffer json, const char *text) {
    int found = strstr((const char *)json.data, text) != NULL;
    davy_buffer_free(&json);
    return found;
}

static int holds(const davy_snapshot *snapshot, const char *text) {
    davy_buffer json = {0};
    WORKS(davy_snapshot_to_json(snapshot, &json));
    return in_buffer(json, text);
}

static int warns(const davy_plugins *plugins, const char *text) {
    davy_buffer json = {0};
    WORKS(davy_plugins_warnings(plugins, &json));
    return in_buffer(json, text);
}

/* Changes every file of a folder. */
static void spoil(const char *folder) {
    DIR *opened = opendir(folder);
    CHECK(opened != NULL);
    for (struct dirent *entry; (entry = readdir(opened)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        char path[8192];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        FILE *file = fopen(path, "wb");
        CHECK(file != NULL && fputs("changed", file) >= 0 && fclose(file) == 0);
    }
    closedir(opened);
}

int main(int argc, char **argv) {
    CHECK(argc == 3);
    davy_bundle *bundle = bundle_of(argv[1], NULL, NULL);
    davy_engine *engine = NULL;
    davy_plugins *plugins = NULL;
    WORKS(davy_engine_new(bundle, NULL, &engine));
    WORKS(davy_plugins_new(bundle, NULL, &plugins));
    davy_bundle_free(bundle);

    davy_snapshot *calm = depth("7.25"), *deep = depth("10.5");
    CHECK(decide(engine, calm) == DAVY_HOLD); /* nobody has measured */
    WORKS(davy_measure(engine, plugins, calm));
    CHECK(holds(calm, "{\"value\":7.25}") && holds(calm, "\"fuel\":"));
    CHECK(decide(engine, calm) == DAVY_PROCEED);
    WORKS(davy_measure(engine, plugins, deep));
    CHECK(decide(engine, deep) == DAVY_ABORT);
    davy_snapshot_free(calm);
    davy_snapshot_free(deep);
    davy_plugins_free(plugins);
    puts("ok   a plugin measures before a decision");

    /* A folder for compiled code, and one that is open to others. */
    char folder[4096];
    snprintf(folder, sizeof folder, "%s/compiled", argv[2]);
    davy_plugins_options options = {.size = sizeof options, .cache = bytes_of(folder)};
    bundle = bundle_of(argv[1], NULL, NULL);
    for (int i = 0; i < 2; i++) {
        plugins = NULL;
        WORKS(davy_plugins_new(bundle, &options, &plugins));
        CHECK(warns(plugins, "[]"));
        davy_plugins_free(plugins);
    }
    spoil(folder);
    plugins = NULL;
    WORKS(davy_plugins_new(bundle, &options, &plugins));
    CHECK(warns(plugins, "[\"W017"));
    puts("ok   compiled code that was changed is told, and not run");

    /* Turns of custom steps. */
    davy_buffer event = {0};
    WORKS(davy_turn(plugins,
                    bytes_of("{ \"step\": \"a\", \"native\": \"walk\", \"parameters\": \"{}\", "
                             "\"baseUrl\": \"https://shop.example\", \"now\": \"2026-11-26T10:00:00Z\", "
                             "\"random\": 1, \"requests\": 0, \"state\": \"\", \"event\": \"begin\" }"),
                    &event));
    CHECK(in_buffer(event, "{\"turned\":{\"failed\":\"the host has not loaded the plugin\"}}"));
    REFUSED(davy_turn(plugins, bytes_of("{}"), &event), DAVY_PROBE);
    REFUSED(davy_turn(NULL, bytes_of("{}"), &event), DAVY_USAGE);
    REFUSED(davy_plugins_warnings(NULL, &event), DAVY_USAGE);
    davy_plugins_free(plugins);
    puts("ok   a turn of a plugin that is not there is the prober's fault");
    options.cache = bytes_of("/");
    plugins = NULL;
    REFUSED(davy_plugins_new(bundle, &options, &plugins), DAVY_PLUGIN);
    options.size = 0;
    REFUSED(davy_plugins_new(bundle, &options, &plugins), DAVY_USAGE);
    CHECK(plugins == NULL);
    REFUSED(davy_plugins_new(NULL, NULL, &plugins), DAVY_USAGE);
    REFUSED(davy_measure(engine, NULL, NULL), DAVY_USAGE);
    davy_bundle_free(bundle);
    davy_plugins_free(NULL);
    puts("ok   folders that are open, and handles that are none, are refused");

    /* Parameters that the plugin's own schema refuses are the policy's fault, at their place. */
    bundle = bundle_of(argv[1], "limit: 3", "limit: 0");
    davy_error *error = davy_plugins_new(bundle, NULL, &plugins);
    CHECK(error != NULL && davy_error_kind_of(error) == DAVY_POLICY && davy_error_line(error) > 1);
    davy_error_free(error);
    davy_bundle_free(bundle);
    davy_engine_free(engine);
    puts("ok   parameters are held against the plugin's own schema");
    return 0;
}
