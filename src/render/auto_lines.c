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
    return c == ' ' || (c >= '\t' && c <= '\r' && c != '\n');
}

/** As it may stand in a text that is said to be UTF-8, and in which nothing
 * but an end of a line ends one. */
static char cleaned(char c)
{
    return is_blank(c) ? ' ' : c > ' ' && c <= '~' ? c : '?';
}

/** Clients trim keys, and some take letters of either case. */
static int is_refused(const char *key, apr_size_t len)
{
    apr_size_t i;

    if (len == 0) {
        return 1; /* a line that says nothing */
    }
    if (len >= sizeof(our_prefix) - 1 &&
        strncasecmp(key, our_prefix, sizeof(our_prefix) - 1) == 0) {
        return 1;
    }
    for (i = 0; i < AMGR_COUNT(refused); i++) {
        /* A large balancer has thousands of lines. */
        if ((key[0] | 0x20) == (refused[i][0] | 0x20) &&
            len == strlen(refused[i]) &&
            strncasecmp(key, refused[i], len) == 0) {
            return 1;
        }
    }
    return 0;
}

/** The key is known: what was kept back goes, or not. */
static void decide(amgr_auto_lines_t *lines)
{
    apr_size_t len = lines->used;

    while (len > 0 && lines->key[len - 1] == ' ') {
        len--;
    }
    if (is_refused(lines->key, len) ||
        !amgr_key_set_add(&lines->keys, lines->key, len)) {
        lines->state = STATE_DROP;
    }
    else {
        lines->state = STATE_PASS;
        amgr_sink_put(lines->sink, lines->key, lines->used);
    }
    lines->used = 0;
}

/** Take what may belong to the key, without the blanks before it; returns how
 * many bytes. */
static apr_size_t take_key(amgr_auto_lines_t *lines, const char *data,
                           apr_size_t len)
{
    apr_size_t taken = 0;

    while (lines->used == 0 && taken < len && is_blank(data[taken])) {
        taken++;
    }
    while (taken < len && data[taken] != ':' && data[taken] != '\n' &&
           lines->used < sizeof(lines->key)) {
        lines->key[lines->used++] = cleaned(data[taken++]);
    }
    if (taken < len) {
        decide(lines);
    }
    return taken;
}

static void put_cleaned(amgr_sink_t *sink, const char *data, apr_size_t len)
{
    apr_size_t first = 0;
    apr_size_t i;

    for (i = 0; i < len; i++) {
        char shown = data[i] == '\n' ? '\n' : cleaned(data[i]);

        if (shown != data[i]) {
            amgr_sink_put(sink, data + first, i - first);
            amgr_sink_putc(sink, shown);
            first = i + 1;
        }
    }
    amgr_sink_put(sink, data + first, len - first);
}

/** The rest of the line, or as much of it as is here, with its end. */
static apr_size_t take_rest(amgr_auto_lines_t *lines, const char *data,
                            apr_size_t len)
{
    const char *end = memchr(data, '\n', len);
    apr_size_t taken = end == NULL ? len : (apr_size_t)(end - data) + 1;

    if (lines->state == STATE_PASS) {
        put_cleaned(lines->sink, data, taken);
    }
    if (end != NULL) {
        lines->state = STATE_KEY;
    }
    return taken;
}

void amgr_auto_lines_init(amgr_auto_lines_t *lines, amgr_sink_t *sink,
                          apr_pool_t *p)
{
    lines->sink = sink;
    amgr_key_set_init(&lines->keys, p);
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
