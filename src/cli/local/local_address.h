/* SPDX-License-Identifier: Apache-2.0
 *
 * What the host of a URL means, as far as it matters here: which addresses of
 * this machine it is.
 */
#ifndef AMGR_LOCAL_ADDRESS_H
#define AMGR_LOCAL_ADDRESS_H

#include <netinet/in.h>

#include <apr_pools.h>

#define AMGR_LOCAL_ADDRESSES_MAX 8

/** The numeric addresses of a host, as text. */
typedef struct amgr_local_addresses_t {
    char texts[AMGR_LOCAL_ADDRESSES_MAX][INET6_ADDRSTRLEN];
    int count;
} amgr_local_addresses_t;

/**
 * The addresses of @a host, a name or an address: none when it is unknown, or
 * when nobody says within a second.  A name is asked for once in the life of
 * @a pool, and by a process of its own, since a name server that is down
 * answers nobody for long.
 */
const amgr_local_addresses_t *amgr_local_resolve(const char *host,
                                                 apr_pool_t *pool);

/** Whether @a host is this machine's. */
int amgr_local_server_is_here(const char *host, apr_pool_t *pool);

#endif
