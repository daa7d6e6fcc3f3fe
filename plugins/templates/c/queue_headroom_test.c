/* Natively: cc -o test queue_headroom_test.c && ./test */
#include "queue_headroom.c"

#include <assert.h>
#include <math.h>
#include <stdio.h>

static davy_outcome of(const char *parameters, const double *depth, size_t intervals) {
    static const uint32_t at[] = {0, 1};
    davy_series series = {.input = DAVY_TEXT("depth"), .at = at, .at_count = intervals, .form = DAVY_FORM_GAUGE, .gauge = depth, .count = intervals};
    davy_observed seen = {.every = 60000, .window = 2, .series = &series, .series_count = 1};
    size_t length = 0;
    while (parameters[length]) length++;
    return davy_evaluate((davy_text){parameters, length}, &seen);
}

int main(void) {
    const double depth[] = {90, 25};
    assert(of("{}", depth, 2).value == 0.75);
    assert(of("{ \"other\": { \"limit\": 1 }, \"limit\": 50 }", depth, 2).value == 0.5);
    assert(fabs(of("{\"limit\":2.5e1}", depth, 2).value) < 1e-12);
    /* The evaluated interval was not seen. */
    assert(of("{}", depth, 1).rejected && of("{}", depth, 0).rejected);
    assert(davy_same(davy_string(DAVY_TEXT("{\"a\": \"say \\\"x\\\"\"}"), DAVY_TEXT("a"), DAVY_TEXT("")), DAVY_TEXT("say \"x\"")));
    assert(davy_number(DAVY_TEXT("{\"a\":-0.1}"), DAVY_TEXT("a"), 0) == -0.1);
    assert(davy_describe().window == 1);
    puts("queue_headroom in C: tested natively");
    return 0;
}
