/* Natively: cc -o test is_there_test.c && ./test */
#include "is_there.c"

#include <assert.h>
#include <stdio.h>

static davy_action of(davy_event event) {
    davy_situation at = {.parameters = DAVY_TEXT("{ \"path\": \"/ready\" }"), .requests = 1};
    return davy_turn(&at, (davy_bytes){NULL, 0}, &event);
}

static davy_check answered(uint16_t status) {
    davy_action action = of((davy_event){.kind = DAVY_ANSWERED, .answer = {.status = status}});
    assert(!action.rejected && action.kind == 1 && action.conclusion.check_count == 1);
    return action.conclusion.checks[0];
}

int main(void) {
    davy_action begun = of((davy_event){.kind = DAVY_BEGIN});
    assert(!begun.rejected && begun.kind == 0 && davy_same(begun.next.request.url, DAVY_TEXT("/ready")));
    assert(answered(204).verdict == DAVY_PASS);
    assert(answered(503).verdict == DAVY_FAIL && davy_same(answered(503).actual, DAVY_TEXT("503")));
    davy_action failed = of((davy_event){.kind = DAVY_FAILED, .fault = DAVY_TEXT("timeout")});
    assert(failed.conclusion.checks[0].verdict == DAVY_FAIL);
    assert(davy_same(failed.conclusion.checks[0].actual, DAVY_TEXT("timeout")));
    assert(davy_same(davy_describe_step().name, DAVY_TEXT("is-there")));
    puts("is_there in C: tested natively");
    return 0;
}
