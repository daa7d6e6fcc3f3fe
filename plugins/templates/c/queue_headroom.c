/* How much of a queue is free. */
#define DAVY_METRIC
#include "davy_plugin.h"

static const davy_input inputs[] = {
    {DAVY_TEXT("depth"), DAVY_TEXT("Length of the queue"), DAVY_FORM_GAUGE, false},
};

davy_description davy_describe(void) {
    return (davy_description){
        .name = DAVY_TEXT("queue-headroom"),
        .version = DAVY_TEXT("1.0.0"),
        .summary = DAVY_TEXT("How much of the queue is free, from 0 to 1"),
        .measures = DAVY_VALUE,
        .unit = DAVY_TEXT("1"),
        .window = 1,
        .inputs = inputs,
        .input_count = 1,
        .parameters = DAVY_TEXT("{ \"type\": \"object\", \"properties\": { \"limit\": { \"type\": \"number\", "
                                "\"description\": \"Length of the queue at which nothing is free.\" } } }"),
    };
}

davy_outcome davy_evaluate(davy_text parameters, const davy_observed *seen) {
    double depth, limit = davy_number(parameters, DAVY_TEXT("limit"), 100);
    if (!davy_latest_gauge(seen, DAVY_TEXT("depth"), &depth)) return davy_reject(DAVY_TEXT("no depth was observed"));
    double room = 1 - depth / limit;
    return davy_value(room > 0 ? room : 0);
}
