/* SPDX-License-Identifier: Apache-2.0
 *
 * The tab separated metrics that the Python tool wrote: comments, order, blank
 * lines and number formats are its own to the byte, since awk scripts and
 * Zabbix agents read them.  Every key is always there: what is not known yet
 * is 0 here, because this format has no other word for it.
 */
#include "render/metrics_txt.h"

#include <string.h>

/* Code points that Python's repr() escapes: controls, format characters,
 * separators other than the blank, surrogates and private use. */
static const struct {
    unsigned int first;
    unsigned int last;
} unprintable[] = {
    {0x0, 0x1f},      {0x7f, 0xa0},       {0xad, 0xad},       {0x600, 0x605},
    {0x61c, 0x61c},   {0x6dd, 0x6dd},     {0x70f, 0x70f},     {0x1680, 0x1680},
    {0x180e, 0x180e}, {0x2000, 0x200f},   {0x2028, 0x202f},   {0x205f, 0x206f},
    {0x3000, 0x3000}, {0xd800, 0xf8ff},   {0xfeff, 0xfeff},   {0xfff0, 0xfffb},
    {0xfffe, 0xffff}, {0xe0000, 0xe00ff}, {0xe01f0, 0x10ffff}};

static int is_printable(unsigned int code)
{
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(unprintable); i++) {
        if (code >= unprintable[i].first && code <= unprintable[i].last) {
            return 0;
        }
    }
    return 1;
}

/* Bytes of the well-formed UTF-8 character at @a text with its code point, or
 * 0 when there is none.  Stops at the NUL, which continues no character. */
static int utf8_decode(const unsigned char *text, unsigned int *out_code)
{
    static const unsigned int least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned int code = text[0];
    int len = 1;
    int i;

    if (code >= 0xf0 && code <= 0xf4) {
        len = 4;
        code &= 0x07;
    }
    else if (code >= 0xe0 && code < 0xf0) {
        len = 3;
        code &= 0x0f;
    }
    else if (code >= 0xc2 && code < 0xe0) {
        len = 2;
        code &= 0x1f;
    }
    else if (code >= 0x80) {
        return 0;
    }
    for (i = 1; i < len; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = (code << 6) | (text[i] & 0x3fU);
    }
    if (code < least[len] || code > 0x10ffff ||
        (code >= 0xd800 && code <= 0xdfff)) {
        return 0;
    }
    *out_code = code;
    return len;
}

static void put_repr_escape(amgr_sink_t *sink, unsigned int code)
{
    if (code == '\t' || code == '\n' || code == '\r') {
        amgr_sink_putc(sink, '\\');
        amgr_sink_putc(sink, code == '\t' ? 't' : code == '\n' ? 'n' : 'r');
    }
    else if (code < 0x100) {
        amgr_sink_printf(sink, "\\x%02x", code);
    }
    else if (code < 0x10000) {
        amgr_sink_printf(sink, "\\u%04x", code);
    }
    else {
        amgr_sink_printf(sink, "\\U%08x", code);
    }
}

/* The name as Python's %r prints it; a byte that is not UTF-8 is the lone
 * surrogate by which Python keeps it. */
static void put_repr(amgr_sink_t *sink, const char *name)
{
    const unsigned char *at = (const unsigned char *)name;
    char quote = '\'';

    if (strchr(name, '\'') != NULL && strchr(name, '"') == NULL) {
        quote = '"';
    }
    amgr_sink_putc(sink, quote);
    while (*at != '\0') {
        unsigned int code = 0;
        int len = utf8_decode(at, &code);

        if (len == 0) {
            put_repr_escape(sink, 0xdc00U + *at);
            len = 1;
        }
        else if (!is_printable(code)) {
            put_repr_escape(sink, code);
        }
        else {
            if (code == (unsigned char)quote || code == '\\') {
                amgr_sink_putc(sink, '\\');
            }
            amgr_sink_put(sink, (const char *)at, (apr_size_t)len);
        }
        at += len;
    }
    amgr_sink_putc(sink, quote);
}

void amgr_metrics_column(const char *name, char column[AMGR_GROUP_NAME_LEN])
{
    const unsigned char *at = (const unsigned char *)name;
    apr_size_t used = 0;

    while (*at != '\0') {
        unsigned int code = 0;
        int len = utf8_decode(at, &code);
        int hidden = len == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0);
        apr_size_t width = hidden ? 1 : (apr_size_t)len;

        if (used + width >= AMGR_GROUP_NAME_LEN) {
            break;
        }
        if (hidden) {
            column[used] = '?';
        }
        else {
            memcpy(column + used, at, width);
        }
        used += width;
        at += len > 0 ? len : 1;
    }
    column[used] = '\0';
}

static void put_int(amgr_sink_t *sink, const char *key, apr_uint64_t value)
{
    amgr_sink_puts(sink, key);
    amgr_sink_putc(sink, '\t');
    amgr_sink_u64(sink, value == AMGR_UNKNOWN ? 0 : value);
    amgr_sink_putc(sink, '\n');
}

static void put_double_value(amgr_sink_t *sink, double value)
{
    char text[AMGR_UNITS_LEN];

    amgr_sink_puts(sink, amgr_double_format(value, text, sizeof(text)));
    amgr_sink_putc(sink, '\n');
}

static void put_rate(amgr_sink_t *sink, const char *key, double value)
{
    amgr_sink_puts(sink, key);
    amgr_sink_putc(sink, '\t');
    put_double_value(sink, value < 0.0 ? 0.0 : value);
}

/* Counts that the server reports as int and that are never negative. */
static apr_uint64_t positive(int value)
{
    return value > 0 ? (apr_uint64_t)value : 0;
}

static void put_server(amgr_sink_t *sink, const amgr_server_t *server)
{
    apr_time_t uptime_us = server->uptime_us > 0 ? server->uptime_us : 0;

    amgr_sink_puts(sink, "# Global Apache server metrics.\n");
    put_int(sink, "busy-workers", positive(server->busy_workers));
    put_rate(sink, "bytes-per-request", server->bytes_per_request);
    put_rate(sink, "bytes-per-second", server->bytes_per_second);
    put_rate(sink, "cpu-load", server->cpu_load);
    put_int(sink, "idle-workers", positive(server->idle_workers));
    put_rate(sink, "requests-per-second", server->requests_per_second);
    put_int(sink, "total-accesses", server->total_accesses);
    put_int(sink, "total-traffic", server->total_bytes);
    put_int(sink, "uptime", (apr_uint64_t)apr_time_sec(uptime_us));
}

static void put_manager(amgr_sink_t *sink, const amgr_view_t *view)
{
    amgr_view_counts_t counts;
    int failed =
        view->snapshot->incomplete || view->tick_wall_us == AMGR_NO_TIME;

    amgr_view_count(view, &counts);
    amgr_sink_puts(sink, "\n# Metrics internal to apache-manager.\n");
    put_int(sink, "foreign-worker-count", positive(counts.foreign));
    /* At least 1: Zabbix divides by it. */
    put_int(sink, "native-worker-count",
            counts.native_slots > 0 ? (apr_uint64_t)counts.native_slots : 1);
    put_int(sink, "status-response", failed ? 1 : 0);
    put_int(sink, "workers-hanging", positive(view->snapshot->hanging));
    put_int(sink, "workers-killed-active", view->counters->killed_active);
    put_int(sink, "workers-killed-idle", view->counters->killed_idle);
}

static void put_memory_key(amgr_sink_t *sink, const char *name, const char *key)
{
    char column[AMGR_GROUP_NAME_LEN];

    amgr_metrics_column(name, column);
    amgr_sink_puts(sink, "memory-usage\t");
    amgr_sink_puts(sink, column);
    amgr_sink_putc(sink, '\t');
    amgr_sink_puts(sink, key);
    amgr_sink_putc(sink, '\t');
}

static void put_memory_int(amgr_sink_t *sink, const char *name, const char *key,
                           apr_uint64_t value)
{
    put_memory_key(sink, name, key);
    amgr_sink_u64(sink, value);
    amgr_sink_putc(sink, '\n');
}

static void put_memory(amgr_sink_t *sink, const char *name,
                       const amgr_stats_t *rss)
{
    int known = rss->known > 0;

    put_memory_int(sink, name, "count", rss->count);
    put_memory_int(sink, name, "min", known ? rss->min : 0);
    put_memory_int(sink, name, "max", known ? rss->max : 0);
    put_memory_key(sink, name, "average");
    put_double_value(sink, known ? rss->average : 0.0);
    /* As in Python: the middle one of an odd number is an int, the mean of
     * the two middle ones a float. */
    if (rss->known % 2 == 1) {
        put_memory_int(sink, name, "median", (apr_uint64_t)rss->median);
    }
    else {
        put_memory_key(sink, name, "median");
        put_double_value(sink, known ? rss->median : 0.0);
    }
}

static void put_native(amgr_sink_t *sink, const amgr_snapshot_t *snapshot)
{
    static const amgr_stats_t none;
    const amgr_stats_t *rss = &none;
    int i;

    for (i = 0; i < snapshot->group_count; i++) {
        if (snapshot->groups[i].kind == AMGR_KIND_NATIVE) {
            rss = &snapshot->groups[i].rss;
            break;
        }
    }
    amgr_sink_puts(sink,
                   "\n# Memory usage of native Apache worker processes.\n");
    put_memory(sink, AMGR_METRICS_NATIVE, rss);
}

/* The order of UTF-8's bytes is the order of code points. */
int amgr_metrics_groups(const amgr_snapshot_t *snapshot,
                        int order[AMGR_GROUPS_MAX])
{
    const amgr_group_t *groups = snapshot->groups;
    int count = 0;
    int i;

    for (i = 0; i < snapshot->group_count; i++) {
        int at = count;

        if ((groups[i].role != AMGR_ROLE_WSGI &&
             groups[i].role != AMGR_ROLE_OTHER) ||
            groups[i].rss.known == 0) {
            continue;
        }
        while (at > 0 &&
               strcmp(groups[order[at - 1]].name, groups[i].name) > 0) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = i;
        count++;
    }
    return count;
}

void amgr_write_metrics_txt(const amgr_view_t *view, amgr_sink_t *sink)
{
    const amgr_snapshot_t *snapshot = view->snapshot;
    int order[AMGR_GROUPS_MAX];
    int count;
    int i;

    put_server(sink, &snapshot->server);
    put_manager(sink, view);
    put_native(sink, snapshot);
    count = amgr_metrics_groups(snapshot, order);
    for (i = 0; i < count; i++) {
        const amgr_group_t *group = &snapshot->groups[order[i]];

        amgr_sink_puts(sink, "\n# Memory usage of ");
        put_repr(sink, group->name);
        amgr_sink_puts(sink, " WSGI worker processes.\n");
        put_memory(sink, group->name, &group->rss);
    }
}
