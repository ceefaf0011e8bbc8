/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules by which limits are kept: how a process leaves, what keeps the
 * server safe meanwhile, and who is told what.
 */
#include "render/page_limits.h"

#include <stdio.h>

static void put_command(amgr_page_rows_t *rows, int event,
                        const char *directive, const char *meaning)
{
    const char *program = rows->view->settings.kill_commands[event];

    amgr_page_row(rows, directive, program != NULL ? program : "none",
                  program != NULL ? AMGR_EFFECT_ON : AMGR_EFFECT_OFF, meaning);
}

void amgr_page_rows_leaving(amgr_page_rows_t *rows)
{
    const amgr_limits_t *limits = &rows->view->config->limits;
    const amgr_view_settings_t *settings = &rows->view->settings;

    amgr_page_span_row(rows, "ManagerLameDuck", limits->lame_duck_us,
                       "first its clients are told to connect anew, for so"
                       " long");
    amgr_page_span_row(rows, "ManagerGracePeriod", limits->grace_us,
                       "then it is asked to go, and may finish its requests"
                       " for so long");
    amgr_page_span_row(rows, "ManagerEndlessGracePeriod",
                       limits->endless_grace_us,
                       "the same when only connections without an end are"
                       " left");
    put_command(rows, AMGR_COMMAND_BEFORE, "ManagerKillCommand before",
                "program that is run before a process is asked to go");
    put_command(rows, AMGR_COMMAND_AFTER, "ManagerKillCommand after",
                "program that is run once it is gone");
    if (settings->kill_commands[AMGR_COMMAND_BEFORE] != NULL ||
        settings->kill_commands[AMGR_COMMAND_AFTER] != NULL) {
        amgr_page_span_row(rows, "ManagerKillCommandTimeout",
                           settings->kill_command_timeout_us,
                           "a program that takes longer is ended");
    }
}

static void put_int(amgr_page_rows_t *rows, const char *directive, int value,
                    const char *meaning)
{
    char text[32];

    snprintf(text, sizeof(text), "%d", value);
    amgr_page_row(rows, directive, text, AMGR_EFFECT_ON, meaning);
}

static void put_storm(amgr_page_rows_t *rows)
{
    const amgr_limits_t *limits = &rows->view->config->limits;
    char span[AMGR_UNITS_LEN];
    char text[AMGR_UNITS_LEN + 32];

    if (limits->storm_count <= 0) {
        amgr_page_row(rows, "ManagerStormLimit", "Off", AMGR_EFFECT_OFF,
                      "retiring goes on even when it does not help");
        return;
    }
    snprintf(text, sizeof(text), "%d in %s", (int)limits->storm_count,
             amgr_duration_format_exact(limits->storm_window_us, span,
                                        sizeof(span)));
    amgr_page_row(rows, "ManagerStormLimit", text, AMGR_EFFECT_ON,
                  "retiring stops after so many that did not help");
}

void amgr_page_rows_safety(amgr_page_rows_t *rows)
{
    const amgr_limits_t *limits = &rows->view->config->limits;
    char text[AMGR_UNITS_LEN];

    amgr_page_row(rows, "ManagerDryRun", limits->dry_run ? "On" : "Off",
                  limits->dry_run ? AMGR_EFFECT_DRY_RUN : AMGR_EFFECT_OFF,
                  "decide, count and log, but send nothing");
    amgr_page_span_row(rows, "ManagerMinAge", limits->min_age_us,
                       "a younger process is left alone");
    snprintf(text, sizeof(text), "%d%s", limits->max_retiring.value,
             limits->max_retiring.percent ? "%" : "");
    amgr_page_row(rows, "ManagerMaxRetiring", text, AMGR_EFFECT_ON,
                  "so many processes may be retiring at a time, at least one");
    put_int(rows, "ManagerMinServing", limits->min_serving,
            "so many processes are always left to serve");
    put_int(rows, "ManagerStrikes", limits->strikes,
            "ticks in a row over a limit before a process is retired");
    put_storm(rows);
}

static void put_shown(amgr_page_rows_t *rows)
{
    static const char *const requests[AMGR_SHOW_COUNT] = {
        [AMGR_SHOW_OFF] = "Off",
        [AMGR_SHOW_PATH] = "Path",
        [AMGR_SHOW_FULL] = "Full"};
    static const char *const clients[AMGR_CLIENTS_COUNT] = {
        [AMGR_CLIENTS_OFF] = "Off",
        [AMGR_CLIENTS_NETWORK] = "Network",
        [AMGR_CLIENTS_FULL] = "Full"};
    int request = rows->view->show_requests;
    int client = rows->view->show_clients;

    /* What is none of these shows nothing. */
    if (request < 0 || request >= AMGR_SHOW_COUNT) {
        request = AMGR_SHOW_OFF;
    }
    if (client < 0 || client >= AMGR_CLIENTS_COUNT) {
        client = AMGR_CLIENTS_OFF;
    }
    amgr_page_row(rows, "ManagerShowRequests", requests[request],
                  AMGR_EFFECT_ON, "how much of a request is shown and logged");
    amgr_page_row(rows, "ManagerShowClients", clients[client], AMGR_EFFECT_ON,
                  "how much of a client's address is shown and logged");
}

void amgr_page_rows_telling(amgr_page_rows_t *rows)
{
    const amgr_limits_t *limits = &rows->view->config->limits;
    const amgr_view_settings_t *settings = &rows->view->settings;

    amgr_page_span_row(rows, "ManagerInterval", limits->interval_us,
                       "time from one tick to the next");
    amgr_page_row(rows, "ManagerMemoryMetric", amgr_metric_word(limits->metric),
                  AMGR_EFFECT_ON, "what the memory limits measure");
    amgr_page_span_row(rows, "ManagerHangingThreshold", limits->hanging_us,
                       rows->view->snapshot->server.extended
                           ? "a request that runs this long is counted as"
                             " hanging"
                           : "ExtendedStatus is off, so nobody knows what"
                             " hangs");
    put_shown(rows);
    amgr_page_row(rows, "ManagerSyslog", settings->syslog ? "On" : "Off",
                  settings->syslog ? AMGR_EFFECT_ON : AMGR_EFFECT_OFF,
                  "the line of each retirement goes to syslog, too");
    amgr_page_row(rows, "ManagerDataFile",
                  settings->data_file != NULL ? settings->data_file : "Off",
                  settings->data_file != NULL ? AMGR_EFFECT_ON
                                              : AMGR_EFFECT_OFF,
                  "metrics are written here at each tick");
}
