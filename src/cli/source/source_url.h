/* SPDX-License-Identifier: Apache-2.0
 *
 * The address that --url gives, taken apart.
 */
#ifndef AMGR_SOURCE_URL_H
#define AMGR_SOURCE_URL_H

#include "base/base.h"
#include "cli/fault.h"

typedef struct amgr_source_url_t {
    const char *origin; /**< with user and password, without a path */
    const char *host;   /**< without brackets */
    apr_uint16_t port;
    const char *path; /**< of a page, without query, status.json and slash at
                           its end; "": none was named */
} amgr_source_url_t;

/** A fault (AMGR_EXIT_USAGE) for what is no address of a page. */
const amgr_fault_t *amgr_source_url_parse(const char *text,
                                          amgr_source_url_t *out,
                                          apr_pool_t *pool);

/** The beginning of a URL: @a address may be one of IPv6, with its scope. */
const char *amgr_source_url_origin(const char *address, apr_uint16_t port,
                                   int tls, apr_pool_t *pool);

#endif
