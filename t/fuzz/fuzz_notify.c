/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a notification.  Checked besides memory: nothing is heard that
 * is not there, and what is shown of it is one line that ends.
 */
#include "fuzz.h"

#include "supervise/guard/notify.h"

static int has(const uint8_t *data, size_t size, const char *text)
{
    return memmem(data, size, text, strlen(text)) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    amgr_notice_t notice;
    size_t len;

    memset(&notice, 'x', sizeof(notice));
    notice.said = 0;
    amgr_notice_parse((const char *)data, size, &notice);
    check((notice.said & AMGR_NOTICE_READY) == 0 || has(data, size, "READY=1"));
    check((notice.said & AMGR_NOTICE_WATCHDOG) == 0 ||
          has(data, size, "WATCHDOG=1"));
    check((notice.said & AMGR_NOTICE_STOPPING) == 0 ||
          has(data, size, "STOPPING=1"));
    if ((notice.said & AMGR_NOTICE_STATUS) != 0) {
        len = strnlen(notice.status, sizeof(notice.status));
        check(len < sizeof(notice.status));
        check(memchr(notice.status, '\n', len) == NULL);
        check(len == 0 || memmem(data, size, notice.status, len) != NULL);
        check(has(data, size, "STATUS="));
    }
    return 0;
}
