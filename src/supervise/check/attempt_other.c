/* SPDX-License-Identifier: Apache-2.0
 *
 * A verifier of another module: its function, in our process.
 */
#include "supervise/check/attempt.h"

int amgr_attempt_other(amgr_attempt_t *attempt)
{
    const amgr_check_setup_t *setup = attempt->setup;
    const amgr_verify_t *verify = attempt->verify;
    amgr_verify_run_fn *run =
        setup->lookup == NULL ? NULL : setup->lookup(verify->name);
    int argc = 0;

    if (run == NULL) {
        return amgr_attempt_fail(attempt, "no module has a verifier %s",
                                 verify->name);
    }
    if (amgr_attempt_enter_directory(attempt) != 0) {
        return 1;
    }
    while (verify->argv != NULL && verify->argv[argc] != NULL) {
        argc++;
    }
    if (run(argc, (const char *const *)verify->argv, attempt->text,
            sizeof(attempt->text)) == 0) {
        return 0;
    }
    /* It may have left out its end. */
    attempt->text[sizeof(attempt->text) - 1] = '\0';
    return 1;
}
