/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a supervisor's answer to an order.  Checked besides memory: what
 * is taken ends, and is in range.
 */
#include "fuzz.h"

#include "supervise/order/order_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    amgr_order_answer_t out;
    apr_status_t rv = amgr_order_answer_parse((const char *)data, size, &out);

    check(memchr(out.error, '\0', sizeof(out.error)) != NULL);
    check(memchr(out.name, '\0', sizeof(out.name)) != NULL);
    check(memchr(out.reason, '\0', sizeof(out.reason)) != NULL);
    check(out.state >= -1 && out.state < AMGR_MANAGED_STATE_COUNT);
    check(out.want >= -1 && out.want < AMGR_MANAGED_WANT_COUNT);
    check(out.pid >= 0 && out.id >= 0);
    check(out.exit_code >= -1 && out.exit_code <= 255);
    check(out.exit_signal >= 0 && out.exit_signal <= 127);
    if (rv == APR_SUCCESS) {
        check(out.status >= 100 && out.status <= 599);
    }
    return 0;
}
