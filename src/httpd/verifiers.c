/* SPDX-License-Identifier: Apache-2.0
 *
 * See verifiers.h.
 */
#include "httpd/verifiers.h"

#include <stddef.h>

#include <ap_provider.h>

#include "httpd/mod_apache_manager.h"

/** The registered one, when it can run at all; NULL: there is none. */
static const amgr_verifier_t *find(const char *name)
{
    const amgr_verifier_t *verifier =
        ap_lookup_provider(AMGR_VERIFIER_GROUP, name, AMGR_VERIFIER_VERSION);

    if (verifier == NULL || verifier->size < offsetof(amgr_verifier_t, check) ||
        verifier->run == NULL) {
        return NULL;
    }
    return verifier;
}

int amgr_verifiers_known(const char *name)
{
    return find(name) != NULL;
}

amgr_verify_run_fn *amgr_verifiers_lookup(const char *name)
{
    const amgr_verifier_t *verifier = find(name);

    return verifier == NULL ? NULL : verifier->run;
}

const char *amgr_verifiers_check(const amgr_verify_t *verify, apr_pool_t *pool)
{
    const amgr_verifier_t *verifier;
    int argc = 0;

    if (verify->type != AMGR_VERIFY_OTHER) {
        return NULL;
    }
    verifier = find(verify->name);
    if (verifier == NULL || verifier->size < sizeof(*verifier) ||
        verifier->check == NULL) {
        return NULL;
    }
    while (verify->argv[argc] != NULL) {
        argc++;
    }
    return verifier->check(argc, (const char *const *)verify->argv, pool);
}
