/* SPDX-License-Identifier: Apache-2.0
 *
 * How much of a client's address may be seen.  An address is a person's data.
 */
#ifndef AMGR_CLIENT_H
#define AMGR_CLIENT_H

#include "base/base.h"

typedef enum amgr_show_clients_e {
    AMGR_CLIENTS_OFF = 0, /**< nothing of it */
    AMGR_CLIENTS_NETWORK, /**< the network it is in */
    AMGR_CLIENTS_FULL,
    AMGR_CLIENTS_COUNT
} amgr_show_clients_e;

/** Room for any client of the scoreboard as it may be shown, with the NUL. */
#define AMGR_CLIENT_SHOWN_LEN 64

/**
 * The part of @a client that @a show allows, in @a buf, NUL-terminated and
 * never longer than @a size.  Empty when nothing may be shown, which in doubt
 * is so.  A network is "192.0.2.0/24", "2001:db8:1::/48" (of 6to4 /40, which
 * is as much of the IPv4 address) or, of a name, "*.example.org": never its
 * first label, nor a number or what stands before one, and no less than two
 * labels.  What is shown in full is copied as it is, whatever its bytes:
 * escaping is the writer's.
 */
char *amgr_client_shown(int show, const char *client, char *buf,
                        apr_size_t size);

/**
 * The same of what a thread was blocked on: "tcp HERE:PORT to PEER:PORT" is
 * cut to what may be seen of PEER when it is a client, that is when our PORT
 * is one of @a ports, on which the server listens, or below what the kernel
 * gives to connections, or not told.
 * Other text, and connections to elsewhere, are copied as they are.
 */
char *amgr_client_target_shown(int show, const char *target,
                               const apr_uint16_t *ports, int port_count,
                               char *buf, apr_size_t size);

#endif
