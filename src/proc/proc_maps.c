/* SPDX-License-Identifier: Apache-2.0
 *
 * See proc_maps.h.
 */
#include "proc/proc_maps.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "proc/proc_internal.h"
#include "proc/proc_scan.h"

typedef struct search_t {
    apr_uint64_t address;
    amgr_proc_mapping_t *out;
    int found;
} search_t;

/* "START-END rwxs OFFSET DEVICE INODE    NAME" */
apr_status_t amgr_proc_parse_mapping(const char *buf, apr_size_t len,
                                     amgr_proc_mapping_t *out)
{
    amgr_proc_mapping_t mapping;
    amgr_proc_target_t name;
    scan_t s = {buf, buf + len};
    const char *access;
    int i;

    memset(&mapping, 0, sizeof(mapping));
    if (!scan_hex(&s, &mapping.start) || !scan_char(&s, '-') ||
        !scan_hex(&s, &mapping.end) || !scan_blanks(&s) ||
        mapping.start >= mapping.end) {
        return APR_EGENERAL;
    }
    access = s.at;
    if (s.end - access < 4 || (access[3] != 's' && access[3] != 'p')) {
        return APR_EGENERAL;
    }
    mapping.is_shared = access[3] == 's';
    for (i = 0; i < 3; i++) {
        if (!scan_word(&s) || !scan_blanks(&s)) {
            return APR_EGENERAL;
        }
    }
    if (!scan_word(&s)) {
        return APR_EGENERAL;
    }
    scan_blanks(&s);
    if (s.at < s.end) {
        (void)amgr_proc_parse_target(s.at, (apr_size_t)(s.end - s.at),
                                     &name); /* it is not empty */
        memcpy(mapping.name, name.text, sizeof(mapping.name));
    }
    *out = mapping;
    return APR_SUCCESS;
}

static int take_line(void *baton, const char *line, apr_size_t len)
{
    search_t *search = baton;
    amgr_proc_mapping_t mapping;

    if (amgr_proc_parse_mapping(line, len, &mapping) != APR_SUCCESS ||
        search->address < mapping.start || search->address >= mapping.end) {
        return 0;
    }
    *search->out = mapping;
    search->found = 1;
    return 1;
}

apr_status_t amgr_proc_find_mapping(amgr_proc_dir_t *dir, pid_t pid,
                                    apr_uint64_t address,
                                    const amgr_proc_budget_t *budget,
                                    amgr_proc_mapping_t *out)
{
    search_t search = {address, out, 0};
    apr_status_t rv;
    int fd;

    rv = amgr_proc_open(dir, pid, "maps", &fd);
    if (rv == APR_SUCCESS) {
        rv = amgr_proc_each_line(fd, budget, take_line, &search);
        close(fd);
    }
    if (search.found) {
        return APR_SUCCESS;
    }
    return amgr_proc_note(dir, "maps", rv == APR_SUCCESS ? APR_NOTFOUND : rv);
}

apr_status_t amgr_proc_read_memory(amgr_proc_dir_t *dir, pid_t pid,
                                   apr_uint64_t address, void *buf,
                                   apr_size_t size)
{
    apr_status_t rv;
    ssize_t n;
    int fd;

    if (address > APR_INT64_MAX) {
        return APR_NOTFOUND; /* the kernel's half, or nothing at all */
    }
    rv = amgr_proc_open(dir, pid, "mem", &fd);
    if (rv != APR_SUCCESS) {
        return amgr_proc_note(dir, "mem", rv);
    }
    do {
        n = pread(fd, buf, size, (off_t)address);
    } while (n < 0 && errno == EINTR);
    rv = n == (ssize_t)size         ? APR_SUCCESS
         : n < 0 && errno == EACCES ? APR_EACCES
                                    : APR_NOTFOUND;
    close(fd);
    return amgr_proc_note(dir, "mem", rv);
}
