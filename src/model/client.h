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

#endif
