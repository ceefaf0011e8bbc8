/* SPDX-License-Identifier: Apache-2.0
 *
 * Gates: who is not served while a managed process is not ready.
 *
 * A member of a mod_proxy balancer (Gate of a section) is kept out by a bit of
 * its status that mod_proxy heeds ("in shutdown") and nobody else sets: neither
 * the retry timer nor a request lets such a member in, and what an
 * administrator sets in balancer-manager, or mod_proxy_hcheck finds, stays as
 * it is.  Members are in memory that all children share, so whichever child is
 * the first to serve a request after a change sets the bit for all, before
 * that request is proxied.
 *
 * A place that no balancer stands before (ManagerGate) answers 503 with
 * Retry-After, but for pages of ours that are within it.
 */
#ifndef AMGR_GATE_H
#define AMGR_GATE_H

#include <httpd.h>
#include <http_config.h>

/** A set of names of ManagerGate, each a bit; 0: nothing is said. */
typedef apr_uint64_t amgr_gate_set_t;

/** ManagerGate Off: nothing is asked for here, whatever is around it. */
#define AMGR_GATE_OFF (APR_UINT64_C(1) << 63)

/** The setter of ManagerGate, for each of its names. */
const char *amgr_gate_take(cmd_parms *cmd, void *directory, const char *name);

/** Have requests come by here, since a section of a process has a Gate; while
 * the configuration is read. */
void amgr_gate_install(cmd_parms *cmd);

/** A name of ManagerGate that is none of the specifications in @a managed,
 * which may be NULL, or NULL.  Once the configuration is read. */
const char *amgr_gate_stranger(const apr_array_header_t *managed);

/** Find the members of balancers that gates are for, and say of which there is
 * none.  In the parent at each start and restart, after mod_proxy's own. */
void amgr_gate_prepare(server_rec *s, apr_pool_t *pconf);

#endif
