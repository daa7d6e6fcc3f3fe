/* A host in C: decides a release from a policy and a snapshot, keeps the state, and seals a record.
 *
 *   host POLICY.yaml SNAPSHOT.json
 *
 * Exits as `davy decide` does: 0 proceed, 3 hold, 4 abort, 5 rollback, 1 for an error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "davy.h"

static int complain(davy_error *error) {
    davy_bytes message = davy_error_message(error);
    fprintf(stderr, "host: %.*s\n", (int)message.len, (const char *)message.data);
    davy_error_free(error);
    return 1;
}

static davy_buffer read_file(const char *path) {
    davy_buffer content = {0};
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    size_t room = 0;
    for (;;) {
        if (content.len == room) {
            room = room == 0 ? 4096 : 2 * room;
            content.data = realloc(content.data, room);
            if (content.data == NULL) abort();
        }
        size_t got = fread(content.data + content.len, 1, room - content.len, file);
        if (got == 0) break;
        content.len += got;
    }
    fclose(file);
    return content;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: host POLICY.yaml SNAPSHOT.json\n");
        return 2;
    }
    davy_buffer policy = read_file(argv[1]);
    davy_buffer observed = read_file(argv[2]);
    davy_bundle *bundle = NULL;
    davy_engine *engine = NULL;
    davy_state *state = NULL, *next = NULL;
    davy_snapshot *snapshot = NULL;
    davy_step *step = NULL;
    davy_record *record = NULL;
    davy_buffer text = {0};
    davy_bytes sealed = {0};
    davy_verdict verdict = DAVY_HOLD;
    davy_error *error = NULL;
    int code = 1;

    davy_file file = {{(const uint8_t *)"rollouts.yaml", 13}, {policy.data, policy.len}};
    davy_bytes json = {observed.data, observed.len};
    if ((error = davy_bundle_new(&file, 1, &bundle)) != NULL) goto out;
    if ((error = davy_engine_new(bundle, NULL, &engine)) != NULL) goto out;
    if ((error = davy_state_new(&state)) != NULL) goto out;
    if ((error = davy_snapshot_from_json(json, &snapshot)) != NULL) goto out;
    if ((error = davy_decide(engine, state, snapshot, &step)) != NULL) goto out;
    if ((error = davy_step_verdict(step, &verdict)) != NULL) goto out;
    if ((error = davy_step_decision_text(step, &text)) != NULL) goto out;
    if ((error = davy_step_state(step, &next)) != NULL) goto out; /* for the next look */
    if ((error = davy_step_seal(step, &record)) != NULL) goto out;
    if ((error = davy_record_replay(record, engine, state, snapshot)) != NULL) goto out;
    if ((error = davy_record_bytes(record, &sealed)) != NULL) goto out;
    printf("%s\n(a record of %zu bytes, which replays)\n", (const char *)text.data, sealed.len);
    code = (int)verdict;
out:
    if (error != NULL) code = complain(error);
    davy_buffer_free(&text);
    davy_record_free(record);
    davy_step_free(step);
    davy_state_free(next);
    davy_state_free(state);
    davy_snapshot_free(snapshot);
    davy_engine_free(engine);
    davy_bundle_free(bundle);
    free(observed.data);
    free(policy.data);
    return code;
}
