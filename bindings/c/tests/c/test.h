/* What the tests share: checks that name their line, and files. */
#ifndef DAVY_TEST_H
#define DAVY_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "davy.h"
#include "davy.h" /* twice, as a header must bear */

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);                              \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

/* What must work. */
#define WORKS(call)                                                                                                    \
    do {                                                                                                               \
        davy_error *error_ = (call);                                                                                   \
        if (error_ != NULL) {                                                                                          \
            davy_bytes message_ = davy_error_message(error_);                                                          \
            fprintf(stderr, "%s:%d: %.*s\n", __FILE__, __LINE__, (int)message_.len, (const char *)message_.data);      \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

/* What must be refused, and as what. */
#define REFUSED(call, kind)                                                                                            \
    do {                                                                                                               \
        davy_error *error_ = (call);                                                                                   \
        CHECK(error_ != NULL);                                                                                         \
        CHECK(davy_error_kind_of(error_) == (kind));                                                                   \
        CHECK(davy_error_message(error_).len > 0);                                                                     \
        davy_error_free(error_);                                                                                       \
    } while (0)

static inline davy_bytes bytes_of(const char *text) {
    davy_bytes bytes = {(const uint8_t *)text, strlen(text)};
    return bytes;
}

static inline char *read_text(const char *folder, const char *name, size_t *len) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    CHECK(fseek(file, 0, SEEK_END) == 0);
    long size = ftell(file);
    CHECK(size >= 0);
    rewind(file);
    char *text = malloc((size_t)size + 1);
    CHECK(text != NULL && fread(text, 1, (size_t)size, file) == (size_t)size);
    text[size] = 0;
    fclose(file);
    *len = (size_t)size;
    return text;
}

#endif
