/* SPDX-License-Identifier: Apache-2.0
 *
 * Pure parsers of /proc's files of bare numbers and strings.  A number is
 * digits that fit its type, or the file is malformed: nothing is clamped or
 * wrapped.  Each parser fills variables of its own and copies them out at the
 * end, so that a failure leaves the caller's untouched.
 */
#include "proc/proc.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "proc/proc_scan.h"

/** Fields 4 (ppid) to 24 (rss) of stat. */
#define STAT_FIRST 4
#define STAT_LAST 24

static int scan_i64(scan_t *s, apr_int64_t *out)
{
    int negative = scan_char(s, '-');
    apr_uint64_t value;

    if (!scan_u64(s, &value) || value > (apr_uint64_t)APR_INT64_MAX) {
        return 0;
    }
    *out = negative ? -(apr_int64_t)value : (apr_int64_t)value;
    return 1;
}

static int is_within(apr_int64_t value, apr_int64_t min, apr_int64_t max)
{
    return value >= min && value <= max;
}

static apr_uint64_t page_bytes(void)
{
    return (apr_uint64_t)sysconf(_SC_PAGESIZE);
}

apr_status_t amgr_proc_parse_pid(const char *buf, apr_size_t len, pid_t *out)
{
    scan_t s = { buf, buf + len };
    apr_uint64_t value;

    if (!scan_u64(&s, &value) || s.at != s.end || buf[0] == '0' ||
        value > INT_MAX) {
        return APR_EGENERAL;
    }
    *out = (pid_t)value;
    return APR_SUCCESS;
}

/*
 * "PID (COMM) ": a process chooses its comm, parentheses, blanks and newlines
 * included.  Only numbers and one letter follow it, so the last parenthesis of
 * the file is the one that ends it.
 */
static int scan_comm(scan_t *s, amgr_proc_stat_t *out)
{
    const char *close;
    apr_uint64_t pid;
    apr_size_t len;

    if (!scan_u64(s, &pid) || pid == 0 || pid > INT_MAX ||
        !scan_char(s, ' ') || !scan_char(s, '(')) {
        return 0;
    }
    close = memrchr(s->at, ')', (apr_size_t)(s->end - s->at));
    if (close == NULL) {
        return 0;
    }
    out->pid = (pid_t)pid;
    len = (apr_size_t)(close - s->at);
    if (len >= sizeof(out->comm)) {
        len = sizeof(out->comm) - 1;
    }
    memcpy(out->comm, s->at, len);
    out->comm[len] = '\0';
    s->at = close + 1;
    return 1;
}

/* The numbers after the state; @a field is indexed by proc(5)'s numbers. */
static int scan_stat_fields(scan_t *s, apr_int64_t *field)
{
    int i;

    for (i = STAT_FIRST; i <= STAT_LAST; i++) {
        if (!scan_char(s, ' ') || !scan_i64(s, &field[i])) {
            return 0;
        }
    }
    /* A number at the very end may have been cut. */
    return scan_char(s, ' ') || scan_char(s, '\n');
}

/* pgrp and session are -1 and threads 0 while a process is being reaped. */
static int is_stat_plausible(const apr_int64_t *field)
{
    int i;

    for (i = 14; i <= 15; i++) {
        if (field[i] < 0) {
            return 0;
        }
    }
    for (i = 22; i <= 24; i++) {
        if (field[i] < 0) {
            return 0;
        }
    }
    return is_within(field[4], 0, INT_MAX) &&
           is_within(field[5], -1, INT_MAX) &&
           is_within(field[6], -1, INT_MAX) &&
           is_within(field[9], 0, UINT_MAX) && is_within(field[20], 0, INT_MAX);
}

apr_status_t amgr_proc_parse_stat(const char *buf, apr_size_t len,
                                  amgr_proc_stat_t *out)
{
    scan_t s = { buf, buf + len };
    apr_int64_t field[STAT_LAST + 1];
    amgr_proc_stat_t stat;

    memset(&stat, 0, sizeof(stat));
    if (!scan_comm(&s, &stat) || !scan_char(&s, ' ') || s.at == s.end) {
        return APR_EGENERAL;
    }
    stat.state = *s.at++;
    if (!((stat.state >= 'A' && stat.state <= 'Z') ||
          (stat.state >= 'a' && stat.state <= 'z')) ||
        !scan_stat_fields(&s, field) || !is_stat_plausible(field) ||
        __builtin_mul_overflow((apr_uint64_t)field[24], page_bytes(),
                               &stat.rss_bytes)) {
        return APR_EGENERAL;
    }
    stat.ppid = (pid_t)field[4];
    stat.pgrp = (pid_t)field[5];
    stat.session = (pid_t)field[6];
    stat.flags = (unsigned int)field[9];
    stat.user_ticks = (apr_uint64_t)field[14];
    stat.system_ticks = (apr_uint64_t)field[15];
    stat.children_user_ticks = (apr_uint64_t)field[16];
    stat.children_system_ticks = (apr_uint64_t)field[17];
    stat.threads = (int)field[20];
    stat.start_ticks = (apr_uint64_t)field[22];
    stat.vsize_bytes = (apr_uint64_t)field[23];
    *out = stat;
    return APR_SUCCESS;
}

apr_status_t amgr_proc_parse_statm(const char *buf, apr_size_t len,
                                   amgr_proc_statm_t *out)
{
    scan_t s = { buf, buf + len };
    apr_uint64_t page = page_bytes();
    apr_uint64_t bytes[7]; /* size resident shared text lib data dirty */
    int i;

    for (i = 0; i < 7; i++) {
        if ((i > 0 && !scan_char(&s, ' ')) ||
            !scan_scaled(&s, page, &bytes[i])) {
            return APR_EGENERAL;
        }
    }
    scan_char(&s, '\n');
    if (s.at != s.end) {
        return APR_EGENERAL;
    }
    out->size_bytes = bytes[0];
    out->rss_bytes = bytes[1];
    out->shared_bytes = bytes[2];
    out->data_bytes = bytes[5];
    return APR_SUCCESS;
}

apr_status_t amgr_proc_parse_uptime(const char *buf, apr_size_t len,
                                    apr_interval_time_t *out_us)
{
    scan_t s = { buf, buf + len };
    apr_uint64_t seconds;
    apr_uint64_t rest = 0;
    apr_uint64_t place = 100000;
    const char *start;

    if (!scan_u64(&s, &seconds) ||
        seconds > (apr_uint64_t)APR_INT64_MAX / 1000000 - 1) {
        return APR_EGENERAL;
    }
    if (scan_char(&s, '.')) {
        start = s.at;
        for (; s.at < s.end && *s.at >= '0' && *s.at <= '9'; s.at++) {
            rest += (apr_uint64_t)(*s.at - '0') * place;
            place /= 10;
        }
        if (s.at == start) {
            return APR_EGENERAL;
        }
    }
    if (!scan_char(&s, ' ') && !scan_char(&s, '\n')) {
        return APR_EGENERAL;
    }
    *out_us = (apr_interval_time_t)(seconds * 1000000 + rest);
    return APR_SUCCESS;
}

apr_status_t amgr_proc_next_string(const char *buf, apr_size_t len,
                                   apr_size_t *cursor, const char **out,
                                   apr_size_t *out_len)
{
    const char *start = buf + *cursor;
    const char *end;

    if (*cursor >= len) {
        return APR_EOF;
    }
    end = memchr(start, '\0', len - *cursor);
    if (end == NULL) {
        end = buf + len;
    }
    *out = start;
    *out_len = (apr_size_t)(end - start);
    *cursor = (apr_size_t)(end - buf) + (end < buf + len);
    return APR_SUCCESS;
}

int amgr_proc_id_equal(const amgr_proc_id_t *a, const amgr_proc_id_t *b)
{
    return a->pid == b->pid && a->start_ticks == b->start_ticks &&
           a->start_ticks != 0;
}

int amgr_proc_has_ended(const amgr_proc_stat_t *stat)
{
    return (stat->state == 'Z' && stat->threads <= 1) || stat->state == 'X' ||
           stat->state == 'x';
}

apr_time_t amgr_proc_ticks_us(apr_uint64_t ticks)
{
    apr_uint64_t hz = (apr_uint64_t)sysconf(_SC_CLK_TCK);

    if (ticks / hz > (apr_uint64_t)APR_INT64_MAX / 1000000 - 1) {
        return AMGR_NO_TIME;
    }
    return (apr_time_t)(ticks / hz * 1000000 + ticks % hz * 1000000 / hz);
}
