/* SPDX-License-Identifier: Apache-2.0
 *
 * How much of a request line may be seen.  Query strings hold secrets, so they
 * are cut unless the configuration says otherwise.
 */
#ifndef AMGR_REQUEST_H
#define AMGR_REQUEST_H

#include "base/base.h"

typedef enum amgr_show_requests_e {
    AMGR_SHOW_OFF = 0, /**< nothing of it */
    AMGR_SHOW_PATH,    /**< without the query string */
    AMGR_SHOW_FULL,
    AMGR_SHOW_COUNT
} amgr_show_requests_e;

/**
 * The part of @a request that @a show allows, in @a buf, NUL-terminated and
 * never longer than @a size.  Empty when nothing may be shown.  Bytes are
 * copied as they are: escaping is the writer's.
 */
char *amgr_request_shown(int show, const char *request, char *buf,
                         apr_size_t size);

#endif
