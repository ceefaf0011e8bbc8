/* SPDX-License-Identifier: Apache-2.0
 *
 * A verifier of another module: its function, in our process.
 */
#include "supervise/check/probe.h"

int amgr_probe_other(amgr_probe_t *probe)
{
    const amgr_check_setup_t *setup = probe->setup;
    const amgr_verify_t *verify = probe->verify;
    amgr_verify_run_fn *run =
        setup->lookup == NULL ? NULL : setup->lookup(verify->name);
    int argc = 0;

    if (run == NULL) {
        return amgr_probe_fail(probe, "no module has a verifier %s",
                               verify->name);
    }
    if (amgr_probe_enter_directory(probe) != 0) {
        return 1;
    }
    while (verify->argv != NULL && verify->argv[argc] != NULL) {
        argc++;
    }
    if (run(argc, (const char *const *)verify->argv, probe->text,
            sizeof(probe->text)) == 0) {
        return 0;
    }
    /* It may have left out its end. */
    probe->text[sizeof(probe->text) - 1] = '\0';
    return 1;
}
