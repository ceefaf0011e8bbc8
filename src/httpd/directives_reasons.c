/* SPDX-License-Identifier: Apache-2.0
 *
 * See directives_reasons.h.
 */
#include "httpd/directives_reasons.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

#include "base/units.h"
#include "httpd/directive_parts.h"

#define JITTER_MAX 99 /**< of a whole limit there would be nothing left */

const char *amgr_set_memory_total(cmd_parms *cmd, void *unused,
                                  const char *value)
{
    amgr_limits_t *limits = member(cmd);
    apr_size_t len = strlen(value);
    apr_int64_t bytes = AMGR_LIMIT_OFF;
    amgr_share_t share = {0, 0};
    const char *wrong = misplaced(cmd);

    (void)unused; /* per-directory configuration: there is none */
    if (wrong != NULL) {
        return wrong;
    }
    if (len > 0 && value[len - 1] == '%') {
        wrong = amgr_share_parse(value, &share);
    }
    else if (strcasecmp(value, "Off") != 0) {
        wrong = amgr_size_parse(value, &bytes);
    }
    if (wrong != NULL) {
        return refuse(cmd, value,
                      "a size above 0 in digits with an optional fraction and "
                      "unit (B, K, M, G or T), a percentage from 1% to 100%, "
                      "or Off");
    }
    limits->max_memory_total_bytes = bytes;
    limits->max_memory_total_percent = share.value;
    return NULL;
}

static int jitter_parse(cmd_parms *cmd, const char *text, int *out_percent)
{
    apr_size_t len = strlen(text);

    return len >= 2 && text[len - 1] == '%' &&
           amgr_count_parse(apr_pstrmemdup(cmd->temp_pool, text, len - 1), 0,
                            JITTER_MAX, out_percent) == NULL;
}

/* What follows the limit, and both into the configuration. */
static const char *set_jittered(cmd_parms *cmd, apr_int64_t limit,
                                const char *jitter)
{
    amgr_jittered_t *own = member(cmd);
    int percent = AMGR_JITTER_PERCENT;

    if (jitter != NULL && limit == AMGR_LIMIT_OFF) {
        return refuse(cmd, jitter, "nothing after Off");
    }
    if (jitter != NULL && !jitter_parse(cmd, jitter, &percent)) {
        return refuse(
            cmd, jitter,
            apr_psprintf(cmd->pool, "a jitter from 0%% to %d%%", JITTER_MAX));
    }
    own->limit = limit;
    own->jitter_percent = percent;
    return NULL;
}

const char *amgr_set_requests(cmd_parms *cmd, void *unused, const char *count,
                              const char *jitter)
{
    const char *wrong = misplaced(cmd);
    int requests = 0;

    (void)unused; /* as above */
    if (wrong != NULL) {
        return wrong;
    }
    if (strcasecmp(count, "Off") == 0) {
        return set_jittered(cmd, AMGR_LIMIT_OFF, jitter);
    }
    if (amgr_count_parse(count, 1, INT_MAX, &requests) != NULL) {
        return refuse(cmd, count,
                      apr_psprintf(cmd->pool,
                                   "a whole number from 1 to %d, or Off",
                                   INT_MAX));
    }
    return set_jittered(cmd, requests, jitter);
}

const char *amgr_set_lifetime(cmd_parms *cmd, void *unused, const char *span,
                              const char *jitter)
{
    apr_interval_time_t span_us = AMGR_LIMIT_OFF;
    const char *wrong = misplaced(cmd);

    (void)unused; /* as above */
    if (wrong != NULL) {
        return wrong;
    }
    if (strcasecmp(span, "Off") != 0) {
        wrong = amgr_duration_parse(span, &span_us);
        if (wrong != NULL) {
            return refuse(cmd, span,
                          apr_pstrcat(cmd->pool, wrong, ", or Off", NULL));
        }
    }
    return set_jittered(cmd, span_us, jitter);
}
