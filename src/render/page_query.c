/* SPDX-License-Identifier: Apache-2.0
 *
 * See page_query.h.
 */
#include "render/page_query.h"

#include <string.h>

#include "base/units.h"

/* The value of one parameter, or NULL when @a part is another. */
static const char *value_of(const char *part, apr_size_t len, const char *name,
                            char *buf, apr_size_t size)
{
    apr_size_t name_len = strlen(name);
    apr_size_t value_len = len - name_len - 1;

    if (len <= name_len || strncmp(part, name, name_len) != 0 ||
        part[name_len] != '=' || value_len >= size) {
        return NULL;
    }
    memcpy(buf, part + name_len + 1, value_len);
    buf[value_len] = '\0';
    return buf;
}

void amgr_page_query_parse(const char *args, amgr_page_query_t *out)
{
    const char *at = args == NULL ? "" : args;
    char buf[16];

    memset(out, 0, sizeof(*out));
    while (*at != '\0') {
        apr_size_t len = strcspn(at, "&");
        const char *value = value_of(at, len, "refresh", buf, sizeof(buf));
        int seconds;

        if (value != NULL && out->refresh_sec == 0 &&
            amgr_count_parse(value, 1, AMGR_PAGE_REFRESH_MAX_SEC, &seconds) ==
                NULL) {
            out->refresh_sec = seconds;
        }
        at += len;
        at += *at == '&';
    }
}
