/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a size and a time span in the words of the Python tool.  Checked
 * besides memory: what is taken is in range or off, a failure leaves the output
 * alone, and what directives take means the same here.
 */
#include "fuzz.h"

#include "cli/options/python_units.h"

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
    free(text);
    return 0;
}
