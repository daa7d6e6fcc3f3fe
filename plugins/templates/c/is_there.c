/* A probe step: gets a path and expects it to be there. */
#define DAVY_PROBE_STEP
#include "davy_plugin.h"

davy_step_description davy_describe_step(void) {
    return (davy_step_description){
        .name = DAVY_TEXT("is-there"),
        .version = DAVY_TEXT("1.0.0"),
        .summary = DAVY_TEXT("Gets a path and expects it to be there"),
        .parameters = DAVY_TEXT("{ \"type\": \"object\", \"properties\": { \"path\": { \"type\": \"string\", "
                                "\"description\": \"What is asked for.\" } } }"),
    };
}

/* Three digits, as every status has. */
static davy_text status_text(uint16_t status) {
    char *digits = davy_allocate(3);
    for (int i = 2; i >= 0; i--, status /= 10) digits[i] = (char)('0' + status % 10);
    return (davy_text){digits, 3};
}

davy_action davy_turn(const davy_situation *at, davy_bytes state, const davy_event *event) {
    (void)state; /* one request needs no memory */
    if (event->kind == DAVY_BEGIN) {
        davy_request request = {
            .method = DAVY_TEXT("GET"),
            .url = davy_string(at->parameters, DAVY_TEXT("path"), DAVY_TEXT("/")),
        };
        return davy_send(request, (davy_bytes){NULL, 0});
    }
    bool answered = event->kind == DAVY_ANSWERED;
    bool is_there = answered && event->answer.status / 100 == 2;
    davy_check *check = davy_allocate(sizeof *check);
    *check = (davy_check){
        .what = DAVY_TEXT("status"),
        .verdict = is_there ? DAVY_PASS : DAVY_FAIL,
        .expected = DAVY_TEXT("200 to 299"),
        .actual = answered ? status_text(event->answer.status) : event->fault,
    };
    return davy_done(check, 1, NULL, 0);
}
