/* SPDX-License-Identifier: Apache-2.0
 *
 * See fields.h.
 */
#include "base/fields.h"

#include <string.h>

int amgr_fields_find(const char *fields, const char *name, const char **out,
                     apr_size_t *out_len)
{
    apr_size_t name_len = strlen(name);
    const char *field = fields;
    int count = 0;

    while (field != NULL && *field != '\0') {
        apr_size_t len = strcspn(field, "&");

        if (len >= name_len && memcmp(field, name, name_len) == 0 &&
            (len == name_len || field[name_len] == '=')) {
            if (count == 0) {
                apr_size_t skip = name_len + (len > name_len);

                *out = field + skip;
                *out_len = len - skip;
            }
            count++;
        }
        field += len;
        field += *field == '&';
    }
    return count;
}
