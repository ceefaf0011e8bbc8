/* SPDX-License-Identifier: Apache-2.0
 *
 * See supervisor_tell.h.
 */
#include "httpd/supervisor_tell.h"

#include <unistd.h>

#include "base/clock.h"
#include "httpd/log.h"
#include "httpd/supervisor_link.h"

/** A configuration that was sent so long ago and is not in the table has not
 * been taken: it is sent again. */
#define TAKING_US (3 * APR_USEC_PER_SEC)

/** What each process has left behind takes so long to end, besides. */
#define REST_US (2 * APR_USEC_PER_SEC)

void amgr_supervisor_tell(server_rec *s, const amgr_runtime_t *runtime,
                          amgr_supervisor_record_t *record)
{
    apr_status_t rv = amgr_supervisor_link_apply(
        record->fd, s, runtime, amgr_config_main(), ++record->number);

    if (rv != APR_SUCCESS && !record->is_untold) {
        amgr_log(s, AMGR_TAG_SUPERVISOR, APLOG_INFO, rv,
                 "supervisor %" APR_PID_T_FMT " cannot be told of the "
                 "configuration now: it is tried again",
                 record->pid);
    }
    record->is_untold = rv != APR_SUCCESS;
    record->is_pending = 1;
    record->sent_mono_us = amgr_clock_monotonic_us();
}

void amgr_supervisor_tell_again(server_rec *s, const amgr_runtime_t *runtime,
                                amgr_supervisor_record_t *record)
{
    const amgr_managed_table_t *table = &record->table;

    if (!record->is_pending || record->killed || record->leave_mono_us != 0) {
        return;
    }
    if (table->supervisor == record->pid && table->applied == record->number) {
        record->is_pending = 0;
    }
    else if (record->is_untold ||
             amgr_clock_monotonic_us() - record->sent_mono_us > TAKING_US) {
        amgr_supervisor_tell(s, runtime, record);
    }
}

void amgr_supervisor_tell_restart(void)
{
    const amgr_supervisor_record_t *record = amgr_supervisor_record();

    /* One that does not take the word has hung: nobody would be left to kill
     * it, but it would not hear of that either.  One that is ending anyway may
     * be of another build, to which it is no word. */
    if (record != NULL && record->parent == getpid() && record->pid != 0 &&
        record->leave_mono_us == 0) {
        amgr_supervisor_link_restart(record->fd);
    }
}

apr_interval_time_t amgr_supervisor_stop_us(const amgr_config_t *config)
{
    const amgr_spec_t *const *specs;
    apr_interval_time_t sum_us = 0;
    int i;

    if (config->managed == NULL) {
        return 0;
    }
    specs = (const amgr_spec_t *const *)config->managed->elts;
    for (i = 0; i < config->managed->nelts; i++) {
        sum_us += specs[i]->stop_timeout_us;
    }
    if (!config->start_in_order) {
        sum_us = amgr_specs_stop_us(specs, config->managed->nelts);
    }
    return sum_us + config->managed->nelts * REST_US;
}
