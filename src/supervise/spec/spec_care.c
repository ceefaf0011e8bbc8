/* SPDX-License-Identifier: Apache-2.0
 *
 * Setters of how a process is cared for: when it is started, stopped and
 * started again.
 */
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "base/units.h"
#include "supervise/spec/spec_parts.h"

/** A MaxMemory that can be meant. */
#define MEMORY_LEAST (1024 * 1024)

static int is_off(const char *word)
{
    return strcasecmp(word, "Off") == 0;
}

/* What is expected where Off is a value, too. */
static const char *or_off(amgr_setting_t *setting, const char *expected)
{
    return expected == NULL
               ? NULL
               : apr_pstrcat(setting->pool, expected, ", or Off", NULL);
}

const char *amgr_set_start_timeout(amgr_setting_t *setting)
{
    if (is_off(setting->argv[0])) {
        setting->spec->start_timeout_us = AMGR_LIMIT_OFF;
        return NULL;
    }
    return or_off(setting,
                  amgr_duration_parse(setting->argv[0],
                                      &setting->spec->start_timeout_us));
}

const char *amgr_set_stop_signal(amgr_setting_t *setting)
{
    return amgr_stop_signal_parse(setting->argv[0],
                                  &setting->spec->stop_signal);
}

const char *amgr_set_stop_timeout(amgr_setting_t *setting)
{
    return amgr_duration_parse(setting->argv[0],
                               &setting->spec->stop_timeout_us);
}

const char *amgr_set_restart(amgr_setting_t *setting)
{
    return amgr_restart_parse(setting->argv[0], &setting->spec->restart);
}

/* An option of RestartDelay; @a value is behind the "=". */
static const char *set_delay_option(amgr_spec_t *spec, const char *name,
                                    const char *value)
{
    if (strcasecmp(name, "max") == 0) {
        return amgr_pause_parse(value, &spec->delay_max_us);
    }
    if (strcasecmp(name, "factor") == 0) {
        return amgr_factor_parse(value, &spec->delay_factor);
    }
    if (strcasecmp(name, "jitter") == 0) {
        return amgr_percent_parse(value, &spec->delay_jitter_percent);
    }
    if (strcasecmp(name, "reset") == 0) {
        return amgr_duration_parse(value, &spec->delay_reset_us);
    }
    return "max=, factor=, jitter= or reset=";
}

/* Whether one of the words before @a index begins with the same name. */
static int is_option_again(char **argv, int index, apr_size_t name_len)
{
    int i;

    for (i = 1; i < index; i++) {
        if (strncasecmp(argv[i], argv[index], name_len + 1) == 0) {
            return 1;
        }
    }
    return 0;
}

const char *amgr_set_restart_delay(amgr_setting_t *setting)
{
    amgr_spec_t *spec = setting->spec;
    const char *wrong = amgr_pause_parse(setting->argv[0], &spec->delay_us);
    const char *word = setting->argv[0];
    int max_is_set = 0;
    apr_size_t len;
    int i;

    for (i = 1; i < setting->argc && wrong == NULL; i++) {
        word = setting->argv[i];
        len = strcspn(word, "=");
        max_is_set |= strncasecmp(word, "max=", 4) == 0;
        wrong = is_option_again(setting->argv, i, len)
                    ? "each option once"
                    : set_delay_option(spec,
                                       apr_pstrmemdup(setting->pool, word, len),
                                       word[len] == '\0' ? "" : word + len + 1);
    }
    if (wrong != NULL) {
        return amgr_blame(setting, word, wrong);
    }
    if (!max_is_set && spec->delay_max_us < spec->delay_us) {
        spec->delay_max_us = spec->delay_us;
    }
    return spec->delay_max_us < spec->delay_us
               ? "a max that is not below the first delay"
               : NULL;
}

const char *amgr_set_restart_limit(amgr_setting_t *setting)
{
    amgr_spec_t *spec = setting->spec;
    int last = setting->argc - 1;

    if (last == 0 && is_off(setting->argv[0])) {
        spec->restart_limit = 0;
        return NULL;
    }
    if (last == 0 || (last == 2 && strcasecmp(setting->argv[1], "in") != 0) ||
        strcasecmp(setting->argv[last], "in") == 0) {
        return setting->key->help;
    }
    if (amgr_count_parse(setting->argv[0], 1, AMGR_SPEC_FAILURES_MAX,
                         &spec->restart_limit) != NULL) {
        return amgr_blame(setting, setting->argv[0],
                          "a whole number from 1 to 100");
    }
    return amgr_blame(
        setting, setting->argv[last],
        amgr_duration_parse(setting->argv[last], &spec->restart_window_us));
}

const char *amgr_set_success_exit(amgr_setting_t *setting)
{
    apr_array_header_t *codes = setting->spec->success_exits;
    int code;
    int i;
    int k;

    for (i = 0; i < setting->argc; i++) {
        if (amgr_count_parse(setting->argv[i], 0, 255, &code) != NULL) {
            return amgr_blame(setting, setting->argv[i],
                              "an exit code from 0 to 255");
        }
        for (k = 0; k < codes->nelts; k++) {
            if (APR_ARRAY_IDX(codes, k, int) == code) {
                break;
            }
        }
        if (k == codes->nelts) {
            APR_ARRAY_PUSH(codes, int) = code;
        }
    }
    return NULL;
}

const char *amgr_set_max_memory(amgr_setting_t *setting)
{
    apr_int64_t bytes = 0;
    const char *wrong = NULL;

    if (!is_off(setting->argv[0])) {
        wrong = amgr_size_parse(setting->argv[0], &bytes);
        /* Nothing that runs needs so little: a unit was forgotten. */
        if (wrong == NULL && bytes < MEMORY_LEAST) {
            wrong = "at least 1M";
        }
        wrong = or_off(setting, wrong);
    }
    setting->spec->max_memory_bytes = (apr_uint64_t)bytes;
    return wrong;
}

/* "balancer://NAME", as a section of mod_proxy is called. */
static int is_balancer(const char *text)
{
    const char *name = text + strlen("balancer://");

    return strncasecmp(text, "balancer://", strlen("balancer://")) == 0 &&
           *name != '\0' && strpbrk(name, " /?#@") == NULL;
}

/* "SCHEME://..." or "unix:PATH|SCHEME://..." */
static int is_member(const char *text)
{
    const char *at = strstr(text, "://");

    return at != NULL && at != text && at[3] != '\0' &&
           strncasecmp(text, "balancer://", strlen("balancer://")) != 0 &&
           strpbrk(text, " \"'") == NULL;
}

int amgr_spec_has_gate(const amgr_spec_t *spec, const amgr_gate_t *gate)
{
    int i;

    for (i = 0; i < spec->gates->nelts; i++) {
        const amgr_gate_t *own = &APR_ARRAY_IDX(spec->gates, i, amgr_gate_t);

        if (strcasecmp(own->balancer, gate->balancer) == 0 &&
            strcmp(own->member, gate->member) == 0) {
            return 1;
        }
    }
    return 0;
}

const char *amgr_set_gate(amgr_setting_t *setting)
{
    amgr_gate_t gate = {setting->argv[0], setting->argv[1]};

    if (!is_balancer(gate.balancer)) {
        return amgr_blame(setting, gate.balancer, "balancer://NAME");
    }
    if (!is_member(gate.member)) {
        return amgr_blame(setting, gate.member, "the URL of a BalancerMember");
    }
    if (amgr_spec_has_gate(setting->spec, &gate)) {
        return "each member once";
    }
    APR_ARRAY_PUSH(setting->spec->gates, amgr_gate_t) = gate;
    return NULL;
}
