/* SPDX-License-Identifier: Apache-2.0
 *
 * See syslog_tag.h.
 */
#include "httpd/syslog_tag.h"

#include <string.h>
#include <strings.h>
#include <syslog.h>

#include <http_main.h>

#include "base/base.h"

static const struct {
    const char *name;
    int value;
} facilities[] = {
    {"auth", LOG_AUTH},     {"authpriv", LOG_AUTHPRIV}, {"cron", LOG_CRON},
    {"daemon", LOG_DAEMON}, {"ftp", LOG_FTP},           {"kern", LOG_KERN},
    {"lpr", LOG_LPR},       {"mail", LOG_MAIL},         {"news", LOG_NEWS},
    {"syslog", LOG_SYSLOG}, {"user", LOG_USER},         {"uucp", LOG_UUCP},
    {"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1},     {"local2", LOG_LOCAL2},
    {"local3", LOG_LOCAL3}, {"local4", LOG_LOCAL4},     {"local5", LOG_LOCAL5},
    {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7},
};

int amgr_syslog_has_log(const server_rec *s)
{
    return s->error_fname != NULL &&
           (strcmp(s->error_fname, "syslog") == 0 ||
            strncmp(s->error_fname, "syslog:", 7) == 0);
}

/** One that names the same log as another before it shares that. */
static int is_opened(const server_rec *s, const server_rec *first)
{
    for (; first != s; first = first->next) {
        if (first->error_fname != NULL &&
            strcmp(first->error_fname, s->error_fname) == 0) {
            return 0;
        }
    }
    return 1;
}

/** The first that begins like that, as httpd has it (server/log.c). */
static int facility_of(const char *name, size_t len)
{
    size_t i;

    for (i = 0; len > 0 && i < AMGR_COUNT(facilities); i++) {
        if (strncasecmp(name, facilities[i].name, len) == 0) {
            return facilities[i].value;
        }
    }
    return LOG_LOCAL7;
}

/** Of "syslog", "syslog:FACILITY", "syslog:FACILITY:TAG" or "syslog::TAG";
 * libc keeps the pointer to the tag, which is the configuration's. */
static void open_syslog(const server_rec *s)
{
    const char *colon = strchr(s->error_fname, ':');
    const char *facility = colon == NULL ? "" : colon + 1;
    const char *tag = strchr(facility, ':');
    size_t len = tag == NULL ? strlen(facility) : (size_t)(tag - facility);

    openlog(tag == NULL || tag[1] == '\0' ? ap_server_argv0 : tag + 1,
            LOG_CONS | LOG_PID, facility_of(facility, len));
}

void amgr_syslog_restore(server_rec *s)
{
    const server_rec *last = NULL;
    const server_rec *at;

    /* The process has one tag and one facility: those that it was given
     * last, in this order. */
    for (at = s; at != NULL; at = at->next) {
        if (amgr_syslog_has_log(at) && is_opened(at, s)) {
            last = at;
        }
    }
    /* Not with a text of this module's for its tag: it goes at a restart, and
     * whoever wrote to syslog then would read what is not there any more. */
    closelog();
    if (last != NULL) {
        open_syslog(last);
    }
}
