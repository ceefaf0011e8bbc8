/* SPDX-License-Identifier: Apache-2.0
 *
 * Verifiers of other modules: our side of amgr_verifier_t.
 */
#ifndef AMGR_VERIFIERS_H
#define AMGR_VERIFIERS_H

#include "supervise/check/check.h"
#include "supervise/spec/spec.h"

/** Whether a module has registered one of this name. */
int amgr_verifiers_known(const char *name);

/** What runs an attempt of it, or NULL.  In the supervisor: as it was when
 * that was forked. */
amgr_verify_run_fn *amgr_verifiers_lookup(const char *name);

/** While the configuration is read: NULL, or what is expected of the words of
 * @a verify, when it is one of another module. */
const char *amgr_verifiers_check(const amgr_verify_t *verify, apr_pool_t *pool);

#endif
