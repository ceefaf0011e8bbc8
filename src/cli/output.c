/* SPDX-License-Identifier: Apache-2.0
 *
 * See output.h.
 */
#include "cli/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/options/options.h"

static struct {
    char buf[8192];
    amgr_sink_t sink;
    int begun;
    int told;
} output;

static apr_status_t write_out(void *baton, const char *data, apr_size_t len)
{
    (void)baton; /* there is one standard output */
    while (len > 0) {
        ssize_t n = write(STDOUT_FILENO, data, len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? APR_FROM_OS_ERROR(errno) : APR_EGENERAL;
        }
        data += n;
        len -= (apr_size_t)n;
    }
    return APR_SUCCESS;
}

amgr_sink_t *amgr_output(void)
{
    if (!output.begun) {
        amgr_sink_init(&output.sink, output.buf, sizeof(output.buf), write_out,
                       NULL);
        output.begun = 1;
    }
    return &output.sink;
}

static const amgr_fault_t *tell(apr_status_t status, apr_pool_t *pool)
{
    if (status == APR_SUCCESS || output.told) {
        return NULL;
    }
    output.told = 1;
    /* Whoever reads no more has no use for a complaint either. */
    if (APR_STATUS_IS_EPIPE(status)) {
        return amgr_fault_make(pool, AMGR_EXIT_FAILED, "%s", "");
    }
    return amgr_fault_make(pool, AMGR_EXIT_FAILED, "standard output: %s",
                           amgr_fault_reason(pool, status));
}

const amgr_fault_t *amgr_output_flush(apr_pool_t *pool)
{
    apr_status_t status = amgr_sink_finish(amgr_output());

    if (fflush(stdout) != 0 && status == APR_SUCCESS) {
        status = APR_FROM_OS_ERROR(errno);
    }
    return tell(status, pool);
}

const amgr_fault_t *amgr_output_finish(apr_pool_t *pool)
{
    const amgr_fault_t *fault = amgr_output_flush(pool);

    /* One that was closed from the beginning is no error without output. */
    if (fault == NULL && close(STDOUT_FILENO) != 0 && errno != EBADF) {
        fault = tell(APR_FROM_OS_ERROR(errno), pool);
    }
    return fault;
}

/** The value of a variable; empty where there is none. */
static const char *read_variable(const char *name)
{
    const char *value = getenv(name);

    return value != NULL ? value : "";
}

int amgr_output_is_colored(int color)
{
    const char *kind = read_variable("TERM");

    if (color != AMGR_COLOR_AUTO) {
        return color == AMGR_COLOR_ALWAYS;
    }
    return read_variable("NO_COLOR")[0] == '\0' && kind[0] != '\0' &&
           strcmp(kind, "dumb") != 0 && isatty(STDOUT_FILENO);
}
