/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a host is this machine: whom no proxy stands before, and whose
 * certificate proves nothing that the kernel does not already.
 */
#ifndef AMGR_HERE_H
#define AMGR_HERE_H

#include "base/base.h"

/** Addresses of a name as CURLOPT_RESOLVE takes them, cut to this. */
#define AMGR_HERE_RESOLVE_LEN 2048

typedef struct amgr_here_t {
    int is_here; /**< every address that it has is of this machine */
    /** "HOST:PORT:ADDRESS,ADDRESS", so that what was looked at is what is
     * connected to; empty for a numeric address, and when there are none. */
    char resolve[AMGR_HERE_RESOLVE_LEN];
} amgr_here_t;

/**
 * Look @a host up: a name, or an address, of IPv6 with or without brackets.
 * What has no address is elsewhere.  May wait for a name server.
 */
void amgr_here_look_up(const char *host, const char *port, amgr_here_t *out);

#endif
