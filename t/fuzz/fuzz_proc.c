/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes through every parser of /proc.  Checked besides memory: a failure
 * leaves the output alone, cursors only go forward, and what they hand out
 * lies within the input.
 */
#include "fuzz.h"

#include "proc/proc.h"
#include "proc/proc_wsgi.h"
#include "proc/proc_cgroup.h"

static void check_untouched(apr_status_t rv, const void *out, size_t len)
{
    const unsigned char *bytes = out;
    size_t i;

    check(rv == APR_SUCCESS || rv == APR_EGENERAL);
    for (i = 0; rv != APR_SUCCESS && i < len; i++) {
        check(bytes[i] == 0x5a);
    }
}

static void parse_structures(const char *buf, size_t len)
{
    amgr_proc_stat_t stat;
    amgr_proc_statm_t statm;
    amgr_proc_status_t status;
    amgr_proc_smaps_t smaps;
    apr_interval_time_t uptime;
    apr_status_t rv;
    pid_t pid;

    memset(&stat, 0x5a, sizeof(stat));
    rv = amgr_proc_parse_stat(buf, len, &stat);
    check_untouched(rv, &stat, sizeof(stat));
    check(rv != APR_SUCCESS || (stat.pid > 0 && stat.ppid >= 0 &&
                                memchr(stat.comm, '\0', sizeof(stat.comm))));
    memset(&statm, 0x5a, sizeof(statm));
    check_untouched(amgr_proc_parse_statm(buf, len, &statm), &statm,
                    sizeof(statm));
    memset(&status, 0x5a, sizeof(status));
    check_untouched(amgr_proc_parse_status(buf, len, &status), &status,
                    sizeof(status));
    memset(&smaps, 0x5a, sizeof(smaps));
    check_untouched(amgr_proc_parse_smaps(buf, len, &smaps), &smaps,
                    sizeof(smaps));
    memset(&uptime, 0x5a, sizeof(uptime));
    rv = amgr_proc_parse_uptime(buf, len, &uptime);
    check_untouched(rv, &uptime, sizeof(uptime));
    check(uptime >= 0);
    memset(&pid, 0x5a, sizeof(pid));
    rv = amgr_proc_parse_pid(buf, len, &pid);
    check_untouched(rv, &pid, sizeof(pid));
    check(pid > 0);
}

static void parse_cgroups(const char *buf, size_t len)
{
    amgr_proc_mount_t mount;
    apr_uint64_t memory[2];
    apr_uint64_t bytes;
    char path[64];
    int version;
    int i;

    memset(memory, 0x5a, sizeof(memory));
    check_untouched(amgr_proc_parse_meminfo(buf, len, &memory[0], &memory[1]),
                    memory, sizeof(memory));
    memset(&bytes, 0x5a, sizeof(bytes));
    check_untouched(amgr_proc_parse_cgroup_limit(buf, len, &bytes), &bytes,
                    sizeof(bytes));
    if (amgr_proc_parse_cgroup(buf, len, &version, path, sizeof(path)) ==
        APR_SUCCESS) {
        check((version == 1 || version == 2) && path[0] == '/' &&
              strlen(path) < sizeof(path));
    }
    for (i = 1; i <= 2; i++) {
        if (amgr_proc_parse_mount(buf, len, i, &mount) == APR_SUCCESS) {
            check(mount.version == i && mount.root[0] == '/' &&
                  mount.point[0] == '/' &&
                  strlen(mount.root) < sizeof(mount.root) &&
                  strlen(mount.point) < sizeof(mount.point));
        }
    }
}

static void walk_fields(const char *buf, size_t len)
{
    amgr_proc_field_t field;
    apr_size_t cursor = 0;
    apr_size_t before = 0;

    while (amgr_proc_next_field(buf, len, &cursor, &field) == APR_SUCCESS) {
        check(cursor > before && cursor <= len);
        check(field.name >= buf && field.value >= field.name &&
              field.value + field.value_len <= buf + len);
        before = cursor;
    }
    (void)amgr_proc_find_field(buf, len, "VmRSS", &field); /* memory only */
}

static void walk_strings(const char *buf, size_t len)
{
    char name[16];
    const char *string;
    apr_size_t string_len;
    apr_size_t cursor = 0;
    apr_size_t before = 0;

    while (amgr_proc_next_string(buf, len, &cursor, &string, &string_len) ==
           APR_SUCCESS) {
        check(cursor > before && cursor <= len);
        check(string >= buf && string + string_len <= buf + len);
        if (amgr_proc_wsgi_parse(string, string_len, name, sizeof(name)) ==
            APR_SUCCESS) {
            check(name[0] != '\0' && strlen(name) < sizeof(name));
        }
        before = cursor;
    }
    check(cursor == len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    parse_structures((const char *)data, size);
    parse_cgroups((const char *)data, size);
    walk_fields((const char *)data, size);
    walk_strings((const char *)data, size);
    return 0;
}
