/* SPDX-License-Identifier: Apache-2.0
 *
 * See auto_lines.h.
 */
#include "render/auto_lines.h"

#include <string.h>
#include <strings.h>

/** What becomes of the rest of a line. */
typedef enum state_e {
    STATE_KEY = 0, /**< not known yet */
    STATE_PASS,
    STATE_DROP
} state_e;

/** Of `?auto` on all MPMs; and what lighttpd calls two of them, for which some
 * clients look as well. */
static const char *const refused[] = {
    "ServerVersion",
    "ServerMPM",
    "Server Built",
    "CurrentTime",
    "RestartTime",
    "ParentServerConfigGeneration",
    "ParentServerMPMGeneration",
    "ServerUptimeSeconds",
    "ServerUptime",
    "Load1",
    "Load5",
    "Load15",
    "Total Accesses",
    "Total kBytes",
    "Total Duration",
    "CPUUser",
    "CPUSystem",
    "CPUChildrenUser",
    "CPUChildrenSystem",
    "CPULoad",
    "Uptime",
    "ReqPerSec",
    "BytesPerSec",
    "BytesPerReq",
    "DurationPerReq",
    "BusyWorkers",
    "GracefulWorkers",
    "IdleWorkers",
    "Processes",
    "Stopping",
    "ConnsTotal",
    "ConnsAsyncWaitIO",
    "ConnsAsyncWriting",
    "ConnsAsyncKeepAlive",
    "ConnsAsyncClosing",
    "Scoreboard",
    "BusyServers",
    "IdleServers",
};

static const char our_prefix[] = "ApacheManager";

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/** Clients trim keys, and some take letters of either case. */
static int is_refused(const char *key, apr_size_t len)
{
    apr_size_t i;

    while (len > 0 && is_blank(key[len - 1])) {
        len--;
    }
    while (len > 0 && is_blank(*key)) {
        key++;
        len--;
    }
    if (len >= sizeof(our_prefix) - 1 &&
        strncasecmp(key, our_prefix, sizeof(our_prefix) - 1) == 0) {
        return 1;
    }
    for (i = 0; i < AMGR_COUNT(refused); i++) {
        if (len == strlen(refused[i]) &&
            strncasecmp(key, refused[i], len) == 0) {
            return 1;
        }
    }
    return 0;
}

/** The key is known: what was kept back goes, or not. */
static void decide(amgr_auto_lines_t *lines)
{
    if (is_refused(lines->key, lines->used)) {
        lines->state = STATE_DROP;
    }
    else {
        lines->state = STATE_PASS;
        amgr_sink_put(lines->sink, lines->key, lines->used);
    }
    lines->used = 0;
}

/** Take what may belong to the key; returns how many bytes. */
static apr_size_t take_key(amgr_auto_lines_t *lines, const char *data,
                           apr_size_t len)
{
    apr_size_t taken = 0;

    while (taken < len && data[taken] != ':' && data[taken] != '\n' &&
           lines->used < sizeof(lines->key)) {
        lines->key[lines->used++] = data[taken++];
    }
    if (taken < len) {
        decide(lines);
    }
    return taken;
}

/** The rest of the line, or as much of it as is here, with its end. */
static apr_size_t take_rest(amgr_auto_lines_t *lines, const char *data,
                            apr_size_t len)
{
    const char *end = memchr(data, '\n', len);
    apr_size_t taken = end == NULL ? len : (apr_size_t)(end - data) + 1;

    if (lines->state == STATE_PASS) {
        amgr_sink_put(lines->sink, data, taken);
    }
    if (end != NULL) {
        lines->state = STATE_KEY;
    }
    return taken;
}

void amgr_auto_lines_init(amgr_auto_lines_t *lines, amgr_sink_t *sink)
{
    lines->sink = sink;
    lines->used = 0;
    lines->state = STATE_KEY;
}

void amgr_auto_lines_put(amgr_auto_lines_t *lines, const char *data,
                         apr_size_t len)
{
    while (len > 0) {
        apr_size_t taken = lines->state == STATE_KEY
                               ? take_key(lines, data, len)
                               : take_rest(lines, data, len);

        data += taken;
        len -= taken;
    }
}

void amgr_auto_lines_finish(amgr_auto_lines_t *lines)
{
    if (lines->state != STATE_KEY || lines->used > 0) {
        amgr_auto_lines_put(lines, "\n", 1);
    }
}
