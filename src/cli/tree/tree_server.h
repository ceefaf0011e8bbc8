/* SPDX-License-Identifier: Apache-2.0
 *
 * Which httpds of this machine are meant, when their processes are asked for.
 */
#ifndef AMGR_TREE_SERVER_H
#define AMGR_TREE_SERVER_H

#include <apr_tables.h>

#include "cli/fault.h"

/**
 * The servers to be shown, of amgr_local_server_t in *out, from @a pool: the
 * one at @a url (NULL: none is named); else the one of Apache's configuration,
 * and without a configuration all of this machine.  All of them too where this
 * user may not know which is meant: then *out_unsure, which may be NULL, is the
 * file of that configuration, escaped.  A fault when the one that is meant does
 * not run, or is elsewhere.
 */
const amgr_fault_t *amgr_tree_servers(const char *url, apr_array_header_t **out,
                                      const char **out_unsure,
                                      apr_pool_t *pool);

#endif
