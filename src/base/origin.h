/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a request that orders something comes from where it should: what a
 * browser says of the site that made it, and a secret compared.  Pure; every
 * text but the secret is hostile input of any length.
 */
#ifndef AMGR_ORIGIN_H
#define AMGR_ORIGIN_H

#include "base/base.h"

#define AMGR_HOST_LEN 256 /**< bytes of a host's name, with the NUL */

/** Headers of a request; NULL: it has none of that name. */
typedef struct amgr_origin_claims_t {
    const char *scheme; /**< by which it came: "http" or "https" */
    const char *host;
    const char *origin;
    const char *fetch_site; /**< Sec-Fetch-Site */
    const char *referer;
} amgr_origin_claims_t;

typedef enum amgr_origin_e {
    AMGR_ORIGIN_SILENT = 0, /**< nothing says that a browser made it */
    AMGR_ORIGIN_SAME,       /**< a page of this very site did */
    AMGR_ORIGIN_OTHER,      /**< another site did, or it contradicts itself */
    AMGR_ORIGIN_UNCLEAR,    /**< a browser did, and does not say for whom */
    AMGR_ORIGIN_COUNT
} amgr_origin_e;

/**
 * What the headers say.  An Origin must be scheme://Host, with ports, of which
 * the scheme's own may be left out; a Sec-Fetch-Site must be same-origin or
 * none.  Whatever else either of them says is AMGR_ORIGIN_OTHER, also beside
 * one that is right.
 */
int amgr_origin_judge(const amgr_origin_claims_t *claims);

/** The name in a Host header, in small letters and without port and brackets,
 * into @a buf of AMGR_HOST_LEN bytes; NULL when it is none, or too long. */
const char *amgr_host_name(const char *host, char *buf);

/** Whether such a name is an IP address in numbers: no name server can have
 * made it lead here. */
int amgr_host_is_address(const char *name);

/** Whether @a given is @a secret, in a time that does not tell how much of it
 * is right.  An empty secret is nobody's; @a given may be NULL.  A field's
 * text need not end in a NUL: @a len counts it. */
int amgr_secret_equal(const char *given, apr_size_t len, const char *secret);

#endif
