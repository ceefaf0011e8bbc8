/* SPDX-License-Identifier: Apache-2.0
 *
 * Fields as they stand behind the question mark of an address and in the body
 * of a form, NAME=VALUE&NAME=VALUE, for names and values that need no escaping.
 * Pure; the text is hostile input of any length.
 */
#ifndef AMGR_FIELDS_H
#define AMGR_FIELDS_H

#include "base/base.h"

/**
 * How often there is a field @a name in @a fields (NULL: there are none).  The
 * value of the first goes to *out and *out_len, as it stands there and without
 * a NUL behind it; a name alone has an empty one.  Neither is touched where the
 * field is not.
 */
int amgr_fields_find(const char *fields, const char *name, const char **out,
                     apr_size_t *out_len);

#endif
