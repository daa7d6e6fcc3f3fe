/* davy_plugin.h: davy's worlds for plugins in C, without a C library, without generated code.
 *
 * A metric defines `davy_describe` and `davy_evaluate`, a probe step `davy_describe_step` and `davy_turn`. One
 * source file says which, before it includes this header:
 *
 *     #define DAVY_METRIC          or          #define DAVY_PROBE_STEP
 *     #include "davy_plugin.h"
 *
 * and is built by  clang --target=wasm32 -O2 -nostdlib -Wl,--no-entry -o plugin.wasm plugin.c
 * (`zig cc -target wasm32-freestanding` does as well); `davy plugin build plugin.wasm` makes the component of it.
 *
 * Every call runs in a fresh instance whose memory is thrown away afterwards: nothing needs to be freed, and what
 * statics hold is gone. Layouts are those of the canonical ABI of `davy:plugin@0.1.0`, whose files (`wit/`) say what
 * each field means.
 */
#ifndef DAVY_PLUGIN_H
#define DAVY_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if !defined(DAVY_METRIC) && !defined(DAVY_PROBE_STEP)
#error "define DAVY_METRIC or DAVY_PROBE_STEP before including davy_plugin.h"
#endif
#if defined(DAVY_METRIC) && defined(DAVY_PROBE_STEP)
#error "a plugin is a metric or a probe step, not both"
#endif

/* ---- memory and text ---- */

/* Bytes of text, UTF-8, without a 0 at their end. */
typedef struct {
    const char *data;
    size_t length;
} davy_text;

/* A text literal. */
#define DAVY_TEXT(literal) ((davy_text){(literal), sizeof(literal) - 1})

/* So many bytes, for the rest of the call; traps where memory has run out. */
static void *davy_allocate(size_t bytes);
/* Whether two texts are the same. */
static bool davy_same(davy_text a, davy_text b);
/* A number among the parameters, which are one JSON object that the host checked by the plugin's schema; `otherwise`
 * where it is not there. Looks at the outermost keys alone. */
static double davy_number(davy_text parameters, davy_text key, double otherwise);
/* A text among the parameters; `otherwise` where it is not there. Escapes other than `\"`, `\\` and `\/` are left
 * as they are. */
static davy_text davy_string(davy_text parameters, davy_text key, davy_text otherwise);

/* ---- the world `metric` ---- */
#ifdef DAVY_METRIC

typedef enum { DAVY_COUNTS, DAVY_VALUE, DAVY_COMPARISON } davy_measures;
typedef enum { DAVY_FORM_COUNTS, DAVY_FORM_EVENTS, DAVY_FORM_GAUGE, DAVY_FORM_BUCKETS, DAVY_FORM_HISTOGRAM } davy_form;

typedef struct {
    davy_text name;
    davy_text summary;
    uint8_t form; /* davy_form */
    bool optional;
} davy_input;

typedef struct {
    davy_text name;
    davy_text version;
    davy_text summary;
    uint8_t measures; /* davy_measures */
    davy_text unit;   /* of values and comparisons */
    uint32_t window;
    const davy_input *inputs;
    size_t input_count;
    davy_text parameters; /* their JSON Schema */
} davy_description;

typedef struct {
    uint64_t bad;
    uint64_t total;
} davy_counts;

typedef struct {
    double bound; /* seconds */
    uint64_t count;
} davy_bucket;

typedef struct {
    const davy_bucket *at_most; /* cumulative, by rising bound */
    size_t count;
    uint64_t total;
} davy_buckets;

typedef struct {
    int32_t index;
    uint64_t count;
} davy_native_bucket;

typedef struct {
    int8_t schema;
    uint64_t zero;
    const davy_native_bucket *buckets;
    size_t count;
} davy_histogram;

typedef struct {
    davy_text input;
    bool has_replica;
    davy_text replica;
    const uint32_t *at; /* which intervals, rising */
    size_t at_count;
    uint8_t form; /* davy_form: which of these it is */
    union {
        const davy_counts *counts;
        const uint64_t *events;
        const double *gauge;
        const davy_buckets *buckets;
        const davy_histogram *histogram;
    };
    size_t count; /* as many as `at_count` */
} davy_series;

typedef struct {
    uint64_t start; /* milliseconds since 1970 */
    uint64_t every; /* milliseconds */
    uint32_t window;
    const davy_series *series;
    size_t series_count;
    const davy_series *baseline;
    size_t baseline_count;
} davy_observed;

/* What came out; made by one of the three functions below. */
typedef struct {
    bool rejected;
    union {
        struct {
            uint8_t kind; /* 0: value, 1: counts */
            union {
                double value;
                davy_counts counts;
            };
        };
        davy_text why;
    };
} davy_outcome;

/* A value in the unit of the description. */
static inline davy_outcome davy_value(double value) { return (davy_outcome){.kind = 0, .value = value}; }
/* Bad events of all events. */
static inline davy_outcome davy_bad_of(uint64_t bad, uint64_t total) {
    return (davy_outcome){.kind = 1, .counts = {bad, total}};
}
/* Why nothing can be said: the release holds, and shows this sentence. */
static inline davy_outcome davy_reject(davy_text why) { return (davy_outcome){.rejected = true, .why = why}; }

/* The plugin's own: what it is, */
davy_description davy_describe(void);
/* and what it measures. */
davy_outcome davy_evaluate(davy_text parameters, const davy_observed *seen);

/* The value of the evaluated interval, the mean over replicas; false where there is none. */
static bool davy_latest_gauge(const davy_observed *seen, davy_text input, double *value);
/* The counts of the evaluated interval, of all replicas together; false where there are none. */
static bool davy_latest_counts(const davy_observed *seen, davy_text input, davy_counts *counts);

_Static_assert(sizeof(void *) != 4 || sizeof(davy_series) == 40, "the layout of the canonical ABI");
_Static_assert(sizeof(void *) != 4 || sizeof(davy_description) == 56, "the layout of the canonical ABI");
_Static_assert(sizeof(void *) != 4 || sizeof(davy_input) == 20, "the layout of the canonical ABI");
_Static_assert(sizeof(void *) != 4 || sizeof(davy_outcome) == 32, "the layout of the canonical ABI");
_Static_assert(sizeof(void *) != 4 || sizeof(davy_histogram) == 24, "the layout of the canonical ABI");

#endif

/* ---- the world `probe-step` ---- */
#ifdef DAVY_PROBE_STEP

typedef struct {
    const void *data;
    size_t length;
} davy_bytes;

typedef struct {
    davy_text name;
    davy_text version;
    davy_text summary;
    davy_text parameters; /* their JSON Schema */
    const davy_text *captures;
    size_t capture_count;
} davy_step_description;

typedef struct {
    davy_text parameters;
    davy_text base_url;
    uint64_t now; /* milliseconds since 1970 */
    uint64_t random;
    uint32_t requests;
} davy_situation;

typedef struct {
    davy_text name;
    davy_text value;
} davy_header;

typedef struct {
    davy_text method;
    davy_text url;
    const davy_header *headers;
    size_t header_count;
    davy_bytes body;
} davy_request;

typedef struct {
    uint16_t status;
    const davy_header *headers;
    size_t header_count;
    davy_bytes body;
    bool truncated;
    uint64_t duration; /* microseconds */
} davy_response;

typedef enum { DAVY_BEGIN, DAVY_ANSWERED, DAVY_FAILED } davy_event_kind;

typedef struct {
    uint8_t kind; /* davy_event_kind: which of these it is */
    union {
        davy_response answer;
        davy_text fault;
    };
} davy_event;

typedef enum { DAVY_PASS, DAVY_DEGRADED, DAVY_FAIL } davy_verdict;

typedef struct {
    davy_text what;
    uint8_t verdict; /* davy_verdict */
    davy_text expected;
    davy_text actual;
} davy_check;

typedef struct {
    davy_text name;
    davy_text value;
} davy_capture;

/* What happens next; made by one of the three functions below. */
typedef struct {
    bool rejected;
    union {
        struct {
            uint8_t kind; /* 0: send, 1: done */
            union {
                struct {
                    davy_bytes state;
                    davy_request request;
                } next;
                struct {
                    const davy_check *checks;
                    size_t check_count;
                    const davy_capture *captures;
                    size_t capture_count;
                } conclusion;
            };
        };
        davy_text why;
    };
} davy_action;

/* Send this, and take the next turn with this state. */
static inline davy_action davy_send(davy_request request, davy_bytes state) {
    return (davy_action){.kind = 0, .next = {state, request}};
}
/* The step is over; at least one check. What the pointers show must outlive the call: statics, or `davy_allocate`. */
static inline davy_action davy_done(const davy_check *checks, size_t check_count, const davy_capture *captures,
                                    size_t capture_count) {
    return (davy_action){.kind = 1, .conclusion = {checks, check_count, captures, capture_count}};
}
/* Why the step cannot be run. */
static inline davy_action davy_reject(davy_text why) { return (davy_action){.rejected = true, .why = why}; }

/* The plugin's own: what it is, */
davy_step_description davy_describe_step(void);
/* and one turn of it. */
davy_action davy_turn(const davy_situation *at, davy_bytes state, const davy_event *event);

_Static_assert(sizeof(void *) != 4 || sizeof(davy_step_description) == 40, "the layout of the canonical ABI");
_Static_assert(sizeof(void *) != 4 || sizeof(davy_situation) == 40, "the layout of the canonical ABI");
_Static_assert(sizeof(void *) != 4 || sizeof(davy_event) == 40, "the layout of the canonical ABI");
_Static_assert(sizeof(void *) != 4 || sizeof(davy_check) == 28, "the layout of the canonical ABI");
_Static_assert(sizeof(void *) != 4 || sizeof(davy_action) == 48, "the layout of the canonical ABI");

#endif

/* ---- how it is done ---- */

#define DAVY_MAYBE_UNUSED __attribute__((unused))

#ifdef __wasm__

/* Where compiler and linker put everything that is not allocated. */
extern unsigned char __heap_base;

static uintptr_t davy_heap;

/* `alignment` is a power of two. */
static void *davy_aligned(size_t bytes, size_t alignment) {
    if (davy_heap == 0) davy_heap = (uintptr_t)&__heap_base;
    uintptr_t begin = (davy_heap + (alignment - 1)) & ~(uintptr_t)(alignment - 1);
    uintptr_t end = begin + bytes;
    if (end < begin) __builtin_trap();
    uintptr_t have = (uintptr_t)__builtin_wasm_memory_size(0) << 16;
    if (end > have && __builtin_wasm_memory_grow(0, (end - have + 0xffff) >> 16) == (size_t)-1) __builtin_trap();
    davy_heap = end;
    return (void *)begin;
}

/* What the host asks for room; it never gives any back. */
__attribute__((export_name("cabi_realloc"))) void *davy_cabi_realloc(void *old, size_t had, size_t alignment,
                                                                    size_t bytes) {
    if (bytes == 0) return (void *)alignment; /* dangling and aligned, as the ABI wants it of what is empty */
    unsigned char *place = davy_aligned(bytes, alignment);
    for (size_t i = 0; i < had && i < bytes; i++) place[i] = ((const unsigned char *)old)[i];
    return place;
}

DAVY_MAYBE_UNUSED static void *davy_allocate(size_t bytes) { return davy_aligned(bytes, 8); }

/* What compilers call, where there is no C library. */
__attribute__((weak)) void *memcpy(void *restrict to, const void *restrict from, size_t bytes) {
    unsigned char *target = to;
    const unsigned char *source = from;
    for (size_t i = 0; i < bytes; i++) target[i] = source[i];
    return to;
}
__attribute__((weak)) void *memset(void *to, int value, size_t bytes) {
    unsigned char *target = to;
    for (size_t i = 0; i < bytes; i++) target[i] = (unsigned char)value;
    return to;
}

#ifdef DAVY_METRIC

__attribute__((export_name("davy:plugin/measure@0.1.0#describe"))) const davy_description *davy_export_describe(void) {
    davy_description *said = davy_allocate(sizeof *said);
    *said = davy_describe();
    return said;
}

__attribute__((export_name("davy:plugin/measure@0.1.0#evaluate"))) const davy_outcome *
davy_export_evaluate(const char *parameters, size_t length, uint64_t start, uint64_t every, uint32_t window,
                     const davy_series *series, size_t series_count, const davy_series *baseline,
                     size_t baseline_count) {
    davy_observed seen = {start, every, window, series, series_count, baseline, baseline_count};
    davy_outcome *outcome = davy_allocate(sizeof *outcome);
    *outcome = davy_evaluate((davy_text){parameters, length}, &seen);
    return outcome;
}

#else

__attribute__((export_name("davy:plugin/step@0.1.0#describe"))) const davy_step_description *davy_export_describe(void) {
    davy_step_description *said = davy_allocate(sizeof *said);
    *said = davy_describe_step();
    return said;
}

/* More than 16 values: the ABI passes them in memory. */
typedef struct {
    davy_situation at;
    davy_bytes state;
    davy_event event;
} davy_turn_arguments;

_Static_assert(sizeof(davy_turn_arguments) == 88, "the layout of the canonical ABI");

__attribute__((export_name("davy:plugin/step@0.1.0#turn"))) const davy_action *
davy_export_turn(const davy_turn_arguments *given) {
    davy_action *action = davy_allocate(sizeof *action);
    *action = davy_turn(&given->at, given->state, &given->event);
    return action;
}

#endif

#else /* natively, for tests */

#include <stdlib.h>

DAVY_MAYBE_UNUSED static void *davy_allocate(size_t bytes) {
    void *place = malloc(bytes ? bytes : 1);
    if (!place) abort();
    return place;
}

#endif

DAVY_MAYBE_UNUSED static bool davy_same(davy_text a, davy_text b) {
    if (a.length != b.length) return false;
    for (size_t i = 0; i < a.length; i++)
        if (a.data[i] != b.data[i]) return false;
    return true;
}

/* Where the text that began at `at`, after its quote, ends. */
static size_t davy_text_end(davy_text json, size_t at) {
    while (at < json.length && json.data[at] != '"') at += json.data[at] == '\\' ? 2 : 1;
    return at < json.length ? at : json.length;
}

/* The value of an outermost key, from its first character on; empty where the key is not there. */
DAVY_MAYBE_UNUSED static davy_text davy_find(davy_text json, davy_text key) {
    int depth = 0;
    for (size_t i = 0; i < json.length; i++) {
        char c = json.data[i];
        if (c == '{' || c == '[') depth++;
        if (c == '}' || c == ']') depth--;
        if (c != '"') continue;
        size_t begin = i + 1, end = davy_text_end(json, begin);
        i = end;
        size_t next = end + 1;
        while (next < json.length && (json.data[next] == ' ' || json.data[next] == '\n')) next++;
        bool is_key = next < json.length && json.data[next] == ':';
        if (!is_key || depth != 1 || !davy_same((davy_text){json.data + begin, end - begin}, key)) continue;
        next++;
        while (next < json.length && (json.data[next] == ' ' || json.data[next] == '\n')) next++;
        return (davy_text){json.data + next, json.length - next};
    }
    return (davy_text){"", 0};
}

DAVY_MAYBE_UNUSED static double davy_number(davy_text parameters, davy_text key, double otherwise) {
    davy_text found = davy_find(parameters, key);
    if (found.length == 0 || !(found.data[0] == '-' || (found.data[0] >= '0' && found.data[0] <= '9'))) return otherwise;
    bool negative = found.data[0] == '-';
    size_t i = negative ? 1 : 0;
    double digits = 0;
    int exponent = 0, written = 0, sign = 1;
    bool fraction = false;
    for (; i < found.length; i++) {
        char c = found.data[i];
        if (c == '.') fraction = true;
        else if (c >= '0' && c <= '9') digits = digits * 10 + (c - '0'), exponent -= fraction;
        else break;
    }
    if (i < found.length && (found.data[i] == 'e' || found.data[i] == 'E')) {
        i++;
        if (i < found.length && (found.data[i] == '+' || found.data[i] == '-')) sign = found.data[i++] == '-' ? -1 : 1;
        for (; i < found.length && found.data[i] >= '0' && found.data[i] <= '9' && written < 1000; i++)
            written = written * 10 + (found.data[i] - '0');
    }
    exponent += sign * written;
    /* One division is exact for up to 15 digits and 22 places, as people write parameters. */
    double scale = 1;
    for (int n = exponent < 0 ? -exponent : exponent; n > 0; n--) scale *= 10;
    double value = exponent < 0 ? digits / scale : digits * scale;
    return negative ? -value : value;
}

DAVY_MAYBE_UNUSED static davy_text davy_string(davy_text parameters, davy_text key, davy_text otherwise) {
    davy_text found = davy_find(parameters, key);
    if (found.length == 0 || found.data[0] != '"') return otherwise;
    size_t end = davy_text_end(found, 1), length = 0;
    char *text = davy_allocate(end);
    for (size_t i = 1; i < end; i++) {
        bool escape = found.data[i] == '\\' && i + 1 < end &&
                      (found.data[i + 1] == '"' || found.data[i + 1] == '\\' || found.data[i + 1] == '/');
        text[length++] = found.data[escape ? ++i : i];
    }
    return (davy_text){text, length};
}

#ifdef DAVY_METRIC

/* Whether the last entry is of the evaluated interval. */
static bool davy_is_current(const davy_observed *seen, const davy_series *series) {
    return series->at_count > 0 && series->at[series->at_count - 1] + 1 == seen->window;
}

DAVY_MAYBE_UNUSED static bool davy_latest_gauge(const davy_observed *seen, davy_text input, double *value) {
    double sum = 0, replicas = 0;
    for (size_t i = 0; i < seen->series_count; i++) {
        const davy_series *series = &seen->series[i];
        if (!davy_same(series->input, input) || series->form != DAVY_FORM_GAUGE || !davy_is_current(seen, series)) continue;
        sum += series->gauge[series->count - 1];
        replicas += 1;
    }
    if (replicas == 0) return false;
    *value = sum / replicas;
    return true;
}

DAVY_MAYBE_UNUSED static bool davy_latest_counts(const davy_observed *seen, davy_text input, davy_counts *counts) {
    bool found = false;
    *counts = (davy_counts){0, 0};
    for (size_t i = 0; i < seen->series_count; i++) {
        const davy_series *series = &seen->series[i];
        if (!davy_same(series->input, input) || series->form != DAVY_FORM_COUNTS || !davy_is_current(seen, series)) continue;
        counts->bad += series->counts[series->count - 1].bad;
        counts->total += series->counts[series->count - 1].total;
        found = true;
    }
    return found;
}

#endif
#endif
