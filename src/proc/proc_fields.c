/* SPDX-License-Identifier: Apache-2.0
 *
 * Pure parsers of /proc's files of "Name: value" lines: status and
 * smaps_rollup.  Unknown names are skipped, since kernels add some; a known
 * name with a value that is not what proc(5) describes, or a second time, is
 * an error.
 */
#include "proc/proc.h"

#include <limits.h>
#include <string.h>

#include "proc/proc_scan.h"

/** A "Name: N kB" field and where its value goes. */
typedef struct amount_t {
    const char *name;
    apr_uint64_t *bytes;
} amount_t;

static void skip_blanks(scan_t *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t')) {
        s->at++;
    }
}

apr_status_t amgr_proc_next_field(const char *buf, apr_size_t len,
                                  apr_size_t *cursor, amgr_proc_field_t *out)
{
    scan_t value;
    const char *line = buf + *cursor;
    const char *end;
    const char *colon;

    if (*cursor >= len) {
        return APR_EOF;
    }
    end = memchr(line, '\n', len - *cursor);
    if (end == NULL) {
        end = buf + len;
    }
    colon = memchr(line, ':', (apr_size_t)(end - line));
    if (colon == NULL || colon == line) {
        return APR_EGENERAL;
    }
    value.at = colon + 1;
    value.end = end;
    skip_blanks(&value);
    while (value.end > value.at &&
           (value.end[-1] == ' ' || value.end[-1] == '\t')) {
        value.end--;
    }
    out->name = line;
    out->name_len = (apr_size_t)(colon - line);
    out->value = value.at;
    out->value_len = (apr_size_t)(value.end - value.at);
    *cursor = (apr_size_t)(end - buf) + (end < buf + len);
    return APR_SUCCESS;
}

static int is_named(const amgr_proc_field_t *field, const char *name)
{
    return field->name_len == strlen(name) &&
           memcmp(field->name, name, field->name_len) == 0;
}

apr_status_t amgr_proc_find_field(const char *buf, apr_size_t len,
                                  const char *name, amgr_proc_field_t *out)
{
    amgr_proc_field_t field;
    apr_size_t cursor = 0;
    apr_status_t rv;

    do {
        rv = amgr_proc_next_field(buf, len, &cursor, &field);
    } while (rv == APR_SUCCESS && !is_named(&field, name));
    if (rv == APR_SUCCESS) {
        *out = field;
    }
    return rv == APR_EOF ? APR_NOTFOUND : rv;
}

/* "1000\t1000\t1000\t1000"; -1 is no id but the kernel's "leave as is". */
static int scan_ids(const amgr_proc_field_t *field, unsigned int *out)
{
    scan_t s = { field->value, field->value + field->value_len };
    apr_uint64_t value;
    int i;

    for (i = 0; i < 4; i++) {
        if ((i > 0 && !scan_char(&s, '\t')) || !scan_u64(&s, &value) ||
            value > UINT_MAX) {
            return 0;
        }
        out[i] = (unsigned int)value;
    }
    return s.at == s.end;
}

/* "1234 kB" into the amount of this name; twice the same name is a forgery.
 * Fields that nobody asked for are fine. */
static int take_amount(const amgr_proc_field_t *field, const amount_t *amounts,
                       apr_size_t count)
{
    scan_t s = { field->value, field->value + field->value_len };
    apr_uint64_t bytes;
    apr_size_t i;

    for (i = 0; i < count; i++) {
        if (is_named(field, amounts[i].name)) {
            if (*amounts[i].bytes != AMGR_UNKNOWN ||
                !scan_scaled(&s, 1024, &bytes) || s.end - s.at != 3 ||
                memcmp(s.at, " kB", 3) != 0) {
                return 0;
            }
            *amounts[i].bytes = bytes;
            return 1;
        }
    }
    return 1;
}

/* Up to the last whole line: a value at a cut end may be a part of itself. */
static apr_size_t whole_lines(const char *buf, apr_size_t len)
{
    const char *last = len > 0 ? memrchr(buf, '\n', len) : NULL;

    return last == NULL ? 0 : (apr_size_t)(last + 1 - buf);
}

static int scan_threads(const amgr_proc_field_t *field, int *out)
{
    scan_t s = { field->value, field->value + field->value_len };
    apr_uint64_t value;

    if (*out != 0 || !scan_u64(&s, &value) || s.at != s.end ||
        value > INT_MAX) {
        return 0;
    }
    *out = (int)value;
    return 1;
}

apr_status_t amgr_proc_parse_status(const char *buf, apr_size_t len,
                                    amgr_proc_status_t *out)
{
    amgr_proc_status_t status = { { 0 }, { 0 }, 0, AMGR_UNKNOWN, AMGR_UNKNOWN,
                                  AMGR_UNKNOWN };
    const amount_t amounts[] = { { "VmRSS", &status.rss_bytes },
                                 { "RssAnon", &status.anon_bytes },
                                 { "VmSwap", &status.swap_bytes } };
    amgr_proc_field_t field;
    apr_size_t cursor = 0;
    apr_status_t rv;
    int uids = 0;
    int gids = 0;
    int ok = 1;

    len = whole_lines(buf, len);
    while (ok &&
           (rv = amgr_proc_next_field(buf, len, &cursor, &field)) != APR_EOF) {
        if (rv != APR_SUCCESS) {
            return rv;
        }
        if (is_named(&field, "Uid")) {
            ok = uids++ == 0 && scan_ids(&field, status.uid);
        }
        else if (is_named(&field, "Gid")) {
            ok = gids++ == 0 && scan_ids(&field, status.gid);
        }
        else if (is_named(&field, "Threads")) {
            ok = scan_threads(&field, &status.threads);
        }
        else {
            ok = take_amount(&field, amounts, AMGR_COUNT(amounts));
        }
    }
    if (!ok || uids != 1 || gids != 1) {
        return APR_EGENERAL;
    }
    *out = status;
    return APR_SUCCESS;
}

/* Length of the "START-END ---p ... [rollup]" line, 0 when it is not there. */
static apr_size_t rollup_line(const char *buf, apr_size_t len)
{
    static const char mark[] = "[rollup]";
    const char *end = len > 0 ? memchr(buf, '\n', len) : NULL;
    apr_size_t line;

    if (end == NULL) {
        return 0;
    }
    line = (apr_size_t)(end - buf);
    if (line < sizeof(mark) - 1 ||
        memcmp(end - (sizeof(mark) - 1), mark, sizeof(mark) - 1) != 0) {
        return 0;
    }
    return line + 1;
}

apr_status_t amgr_proc_parse_smaps(const char *buf, apr_size_t len,
                                   amgr_proc_smaps_t *out)
{
    amgr_proc_smaps_t smaps = { AMGR_UNKNOWN, AMGR_UNKNOWN, AMGR_UNKNOWN,
                                AMGR_UNKNOWN, AMGR_UNKNOWN };
    apr_uint64_t clean = AMGR_UNKNOWN;
    apr_uint64_t dirty = AMGR_UNKNOWN;
    const amount_t amounts[] = { { "Rss", &smaps.rss_bytes },
                                 { "Pss", &smaps.pss_bytes },
                                 { "Private_Clean", &clean },
                                 { "Private_Dirty", &dirty },
                                 { "Swap", &smaps.swap_bytes },
                                 { "SwapPss", &smaps.swap_pss_bytes } };
    amgr_proc_field_t field;
    apr_size_t cursor;
    apr_status_t rv;

    len = whole_lines(buf, len);
    cursor = rollup_line(buf, len);
    while ((rv = amgr_proc_next_field(buf, len, &cursor, &field)) != APR_EOF) {
        if (rv != APR_SUCCESS ||
            !take_amount(&field, amounts, AMGR_COUNT(amounts))) {
            return APR_EGENERAL;
        }
    }
    if (smaps.rss_bytes == AMGR_UNKNOWN) {
        return APR_EGENERAL;
    }
    if (clean != AMGR_UNKNOWN && dirty != AMGR_UNKNOWN &&
        __builtin_add_overflow(clean, dirty, &smaps.uss_bytes)) {
        return APR_EGENERAL;
    }
    *out = smaps;
    return APR_SUCCESS;
}
