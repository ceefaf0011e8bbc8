/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a size, a time span and an id as Python's tools read them.
 * Checked besides memory: what is taken is in range or off, a failure leaves the output
 * alone, and what directives take means the same here.
 */
#include "fuzz.h"

#include "cli/options/python_units.h"
#include "render/pymanager_json.h"

/* The id of a process in an address: a number that is written anew is it. */
static void check_id(const char *text)
{
    char again[32];
    apr_int64_t id = -7;
    apr_int64_t read = -7;

    if (!amgr_pymanager_parse_id(text, &id)) {
        check(id == -7);
        return;
    }
    snprintf(again, sizeof(again), " %" APR_INT64_T_FMT "\t", id);
    check(amgr_pymanager_parse_id(again, &read) && (id > 99999 || read == id));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    apr_int64_t bytes = -7;
    apr_int64_t strict;
    apr_interval_time_t span_us = -7;
    apr_interval_time_t strict_us;

    if (amgr_python_size_parse(text, &bytes) == NULL) {
        check(bytes > 0);
    }
    else {
        check(bytes == -7);
    }
    if (amgr_size_parse(text, &strict) == NULL && bytes != -7) {
        check(bytes == strict);
    }
    if (amgr_python_span_parse(text, &span_us) == NULL) {
        check(span_us > 0);
    }
    else {
        check(span_us == -7);
    }
    if (amgr_duration_parse(text, &strict_us) == NULL && span_us != -7) {
        check(span_us == strict_us);
    }
    check_id(text);
    free(text);
    return 0;
}
