/* One corpus, every host: what C answers to cases.txt. conformance CORPUS_FOLDER */
#define _GNU_SOURCE
#include <dirent.h>

#include "test.h"

struct engine {
    char name[64];
    davy_engine *engine;
};

static struct engine engines[64];
static size_t engine_count;

static void compile(const char *corpus, const char *name) {
    char folder[4096];
    snprintf(folder, sizeof folder, "%s/bundles/%s", corpus, name);
    davy_file files[32];
    char *owned[64];
    size_t count = 0;
    DIR *listing = opendir(folder);
    CHECK(listing != NULL);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        CHECK(count < 32);
        size_t len = 0;
        char *content = read_text(folder, entry->d_name, &len);
        char *path = strdup(entry->d_name);
        files[count].path = bytes_of(path);
        files[count].content = (davy_bytes){(const uint8_t *)content, len};
        owned[2 * count] = content;
        owned[2 * count + 1] = path;
        count++;
    }
    closedir(listing);
    davy_bundle *bundle = NULL;
    WORKS(davy_bundle_new(files, count, &bundle));
    CHECK(engine_count < 64);
    snprintf(engines[engine_count].name, sizeof engines->name, "%s", name);
    WORKS(davy_engine_new(bundle, NULL, &engines[engine_count].engine));
    engine_count++;
    davy_bundle_free(bundle);
    for (size_t i = 0; i < 2 * count; i++) free(owned[i]);
}

static const davy_engine *engine_of(const char *corpus, const char *name) {
    for (size_t i = 0; i < engine_count; i++)
        if (strcmp(engines[i].name, name) == 0) return engines[i].engine;
    compile(corpus, name);
    return engines[engine_count - 1].engine;
}

static int same(const uint8_t *data, size_t len, const char *expected) {
    return len == strlen(expected) && memcmp(data, expected, len) == 0;
}

static void refused(davy_error *error, const char *name, const char *expected) {
    davy_bytes message = davy_error_message(error);
    if (davy_error_kind_of(error) != DAVY_SNAPSHOT || !same(message.data, message.len, expected)) {
        fprintf(stderr, "`%s`: refused with %.*s\n", name, (int)message.len, (const char *)message.data);
        exit(1);
    }
    davy_error_free(error);
}

/* name, bundle, state, snapshot, kind, answer, next state */
static void answer(const char *corpus, char *const line[7]) {
    davy_state *state = NULL, *next = NULL;
    davy_snapshot *snapshot = NULL;
    davy_error *error = line[2][0] == 0 ? davy_state_new(&state) : davy_state_from_json(bytes_of(line[2]), &state);
    if (strcmp(line[4], "state") == 0) {
        refused(error, line[0], line[5]);
        return;
    }
    WORKS(error);
    error = davy_snapshot_from_json(bytes_of(line[3]), &snapshot);
    if (strcmp(line[4], "snapshot") == 0) {
        refused(error, line[0], line[5]);
        davy_state_free(state);
        return;
    }
    WORKS(error);
    davy_step *step = NULL;
    davy_record *record = NULL;
    davy_bytes sealed;
    davy_buffer after = {0};
    WORKS(davy_decide(engine_of(corpus, line[1]), state, snapshot, &step));
    WORKS(davy_step_seal(step, &record));
    WORKS(davy_record_bytes(record, &sealed));
    WORKS(davy_step_state(step, &next));
    WORKS(davy_state_to_json(next, &after));
    if (!same(sealed.data, sealed.len, line[5]) || !same(after.data, after.len, line[6])) {
        fprintf(stderr, "`%s`: other bytes\n", line[0]);
        exit(1);
    }
    davy_buffer_free(&after);
    davy_state_free(next);
    davy_record_free(record);
    davy_step_free(step);
    davy_snapshot_free(snapshot);
    davy_state_free(state);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    size_t len = 0, count = 0;
    char *text = read_text(argv[1], "cases.txt", &len), *rest = text;
    while (*rest != 0) {
        char *line[8];
        for (int i = 0; i < 8; i++) {
            line[i] = strsep(&rest, "\n");
            CHECK(rest != NULL);
        }
        answer(argv[1], line);
        count++;
    }
    for (size_t i = 0; i < engine_count; i++) davy_engine_free(engines[i].engine);
    free(text);
    CHECK(count >= 200);
    printf("%zu passed, 0 failed\n", count);
    return 0;
}
