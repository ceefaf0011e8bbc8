/* SPDX-License-Identifier: Apache-2.0
 *
 * What is asked for, as it stands on standard input.
 */
#ifndef AMGR_INPUT_H
#define AMGR_INPUT_H

#include "base/base.h"

/** The longest URL, with its line end. */
#define AMGR_INPUT_URL_MAX 8192

/** Header lines: how many, and of all of them the bytes with line ends. */
#define AMGR_INPUT_HEADERS_MAX 32
#define AMGR_INPUT_HEADER_BYTES_MAX 8192

typedef struct amgr_input_t {
    char text[AMGR_INPUT_URL_MAX + AMGR_INPUT_HEADER_BYTES_MAX + 1];
    const char *url;
    const char *headers[AMGR_INPUT_HEADERS_MAX]; /**< "Name: value" */
    int header_count;
} amgr_input_t;

/**
 * Read all of @a fd: the URL in a line of its own, then a line for each header
 * that is sent along.  NULL, or what is wrong with it.
 */
const char *amgr_input_read(int fd, amgr_input_t *out);

#endif
