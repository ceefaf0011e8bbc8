/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as an Accept header.  Checked besides memory: what is chosen is
 * one of those there are, and of any two of them as well.
 */
#include "fuzz.h"

#include "render/accept.h"

#define COUNT 4

static const char *const types[COUNT] = {
    "text/html; charset=utf-8", "application/json",
    "text/plain; version=0.0.4; charset=utf-8",
    "application/openmetrics-text; version=1.0.0; charset=utf-8"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    int chosen;
    int i;

    chosen = amgr_accept_choose(text, types, COUNT);
    check(chosen >= 0 && chosen < COUNT);
    for (i = 0; i < COUNT; i++) {
        const char *two[2];

        two[0] = types[i < chosen ? i : chosen];
        two[1] = types[i < chosen ? chosen : i];
        check(two[amgr_accept_choose(text, two, 2)] == types[chosen]);
    }
    free(text);
    return 0;
}
