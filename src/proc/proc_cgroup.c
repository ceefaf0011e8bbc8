/* SPDX-License-Identifier: Apache-2.0
 *
 * See proc_cgroup.h.
 */
#include "proc/proc_cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "proc/proc_internal.h"
#include "proc/proc_scan.h"

/** From here on a number of bytes is a kernel's way to say "no limit". */
#define NO_LIMIT_BYTES (APR_UINT64_C(1) << 60)

#define LINE_LEN 4096 /**< longer lines of mountinfo are none of ours */
#define PATH_LEN 4096

void amgr_proc_capacity_clear(amgr_proc_capacity_t *capacity)
{
    capacity->bytes = AMGR_UNKNOWN;
    capacity->machine_bytes = AMGR_UNKNOWN;
    capacity->available_bytes = AMGR_UNKNOWN;
    capacity->cgroup_limit_bytes = AMGR_UNKNOWN;
    capacity->cgroup_used_bytes = AMGR_UNKNOWN;
    capacity->limited = 0;
}

/* "NAME:   12 kB" */
static int find_bytes(const char *buf, apr_size_t len, const char *name,
                      apr_uint64_t *out_bytes)
{
    amgr_proc_field_t field;
    apr_uint64_t bytes;
    scan_t s;

    if (amgr_proc_find_field(buf, len, name, &field) != APR_SUCCESS) {
        return 0;
    }
    s.at = field.value;
    s.end = field.value + field.value_len;
    if (!scan_scaled(&s, 1024, &bytes) || s.end - s.at != 3 ||
        memcmp(s.at, " kB", 3) != 0) {
        return 0;
    }
    *out_bytes = bytes;
    return 1;
}

apr_status_t amgr_proc_parse_meminfo(const char *buf, apr_size_t len,
                                     apr_uint64_t *out_bytes,
                                     apr_uint64_t *out_available_bytes)
{
    if (!find_bytes(buf, len, "MemTotal", out_bytes)) {
        return APR_EGENERAL;
    }
    if (!find_bytes(buf, len, "MemAvailable", out_available_bytes)) {
        *out_available_bytes = AMGR_UNKNOWN;
    }
    return APR_SUCCESS;
}

/* The next line without its end; 0 when there is none. */
static int next_line(scan_t *rest, scan_t *out)
{
    const char *end;

    if (rest->at == rest->end) {
        return 0;
    }
    end = memchr(rest->at, '\n', (apr_size_t)(rest->end - rest->at));
    out->at = rest->at;
    out->end = end == NULL ? rest->end : end;
    rest->at = end == NULL ? rest->end : end + 1;
    return 1;
}

/* Up to the separator, which is passed over; 0 when it does not come. */
static int next_part(scan_t *rest, char separator, scan_t *out)
{
    const char *end =
        memchr(rest->at, separator, (apr_size_t)(rest->end - rest->at));

    if (end == NULL) {
        return 0;
    }
    out->at = rest->at;
    out->end = end;
    rest->at = end + 1;
    return 1;
}

static int skip_parts(scan_t *rest, int count)
{
    scan_t part;

    while (count > 0 && next_part(rest, ' ', &part)) {
        count--;
    }
    return count == 0;
}

static int is_text(const scan_t *s, const char *text)
{
    return (apr_size_t)(s->end - s->at) == strlen(text) &&
           memcmp(s->at, text, strlen(text)) == 0;
}

/* Whether the word is one of a list with commas. */
static int has_word(scan_t list, const char *word)
{
    scan_t part;

    while (next_part(&list, ',', &part)) {
        if (is_text(&part, word)) {
            return 1;
        }
    }
    return is_text(&list, word);
}

static int copy_part(const scan_t *part, char *out, apr_size_t size)
{
    apr_size_t len = (apr_size_t)(part->end - part->at);

    if (len == 0 || *part->at != '/' || len >= size ||
        memchr(part->at, '\0', len) != NULL) {
        return 0;
    }
    memcpy(out, part->at, len);
    out[len] = '\0';
    return 1;
}

/* "4:memory:/a" of version 1 goes before "0::/a" of version 2: where both are
 * mounted, memory is with the one that names it. */
apr_status_t amgr_proc_parse_cgroup(const char *buf, apr_size_t len,
                                    int *out_version, char *path,
                                    apr_size_t size)
{
    scan_t rest = {buf, buf + len};
    scan_t unified = {NULL, NULL};
    scan_t line;

    while (next_line(&rest, &line)) {
        scan_t id;
        scan_t controllers;

        if (!next_part(&line, ':', &id) ||
            !next_part(&line, ':', &controllers)) {
            return APR_NOTFOUND;
        }
        if (has_word(controllers, "memory")) {
            if (!copy_part(&line, path, size)) {
                return APR_NOTFOUND;
            }
            *out_version = 1;
            return APR_SUCCESS;
        }
        if (is_text(&id, "0") && controllers.at == controllers.end) {
            unified = line;
        }
    }
    if (unified.at == NULL || !copy_part(&unified, path, size)) {
        return APR_NOTFOUND;
    }
    *out_version = 2;
    return APR_SUCCESS;
}

/* A path of mountinfo, where blanks and the like are written "\040". */
static int copy_path(const scan_t *part, char *out, apr_size_t size)
{
    const char *at = part->at;
    apr_size_t used = 0;

    if (at == part->end || *at != '/') {
        return 0;
    }
    while (at < part->end) {
        int value = (unsigned char)*at;

        if (value == '\\') {
            if (part->end - at < 4 || at[1] < '0' || at[1] > '3' ||
                at[2] < '0' || at[2] > '7' || at[3] < '0' || at[3] > '7') {
                return 0;
            }
            value = (at[1] - '0') * 64 + (at[2] - '0') * 8 + (at[3] - '0');
            at += 3;
        }
        at++;
        if (value == '\0' || used + 1 >= size) {
            return 0;
        }
        out[used++] = (char)value;
    }
    out[used] = '\0';
    return 1;
}

/* "31 23 0:28 ROOT POINT OPTIONS [FIELD...] - TYPE SOURCE OPTIONS" */
apr_status_t amgr_proc_parse_mount(const char *line, apr_size_t len,
                                   int version, amgr_proc_mount_t *out)
{
    amgr_proc_mount_t mount;
    scan_t s = {line, line + len};
    scan_t part;
    scan_t root;
    scan_t point;
    scan_t type;

    if (!skip_parts(&s, 3) || !next_part(&s, ' ', &root) ||
        !next_part(&s, ' ', &point)) {
        return APR_NOTFOUND;
    }
    do {
        if (!next_part(&s, ' ', &part)) {
            return APR_NOTFOUND;
        }
    } while (!is_text(&part, "-"));
    if (!next_part(&s, ' ', &type) || !next_part(&s, ' ', &part) ||
        !is_text(&type, version == 1 ? "cgroup" : "cgroup2") ||
        (version == 1 && !has_word(s, "memory"))) {
        return APR_NOTFOUND;
    }
    memset(&mount, 0, sizeof(mount));
    mount.version = version;
    if (!copy_path(&root, mount.root, sizeof(mount.root)) ||
        !copy_path(&point, mount.point, sizeof(mount.point))) {
        return APR_NOTFOUND;
    }
    *out = mount;
    return APR_SUCCESS;
}

apr_status_t amgr_proc_parse_cgroup_limit(const char *buf, apr_size_t len,
                                          apr_uint64_t *out_bytes)
{
    scan_t s = {buf, buf + len};
    apr_uint64_t bytes;

    if (len > 0 && buf[len - 1] == '\n') {
        s.end--;
    }
    if (is_text(&s, "max")) {
        *out_bytes = AMGR_UNKNOWN;
        return APR_SUCCESS;
    }
    if (!scan_u64(&s, &bytes) || s.at != s.end) {
        return APR_EGENERAL;
    }
    *out_bytes = bytes >= NO_LIMIT_BYTES ? AMGR_UNKNOWN : bytes;
    return APR_SUCCESS;
}

static apr_status_t read_at(int dir_fd, const char *path, char *buf,
                            apr_size_t size, apr_size_t *out_len)
{
    apr_status_t rv;
    int fd;

    do {
        fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        return amgr_proc_status_of(errno);
    }
    rv = amgr_proc_read_all(fd, buf, size, out_len);
    close(fd);
    return rv;
}

/* Look through the mounts piece by piece: there may be thousands. */
static apr_status_t find_mount(int fd, int version, amgr_proc_mount_t *out)
{
    char buf[LINE_LEN];
    apr_size_t used = 0;
    apr_size_t len = 0;
    int cut = 0; /* the line at hand began in an earlier piece and is lost */
    apr_status_t rv;

    while ((rv = amgr_proc_read_all(fd, buf + used, sizeof(buf) - used,
                                    &len)) == APR_SUCCESS) {
        scan_t rest = {buf, buf + used + len};
        scan_t line;

        while (memchr(rest.at, '\n', (apr_size_t)(rest.end - rest.at)) !=
                   NULL &&
               next_line(&rest, &line)) {
            if (!cut &&
                amgr_proc_parse_mount(line.at, (apr_size_t)(line.end - line.at),
                                      version, out) == APR_SUCCESS) {
                return APR_SUCCESS;
            }
            cut = 0;
        }
        used = (apr_size_t)(rest.end - rest.at);
        memmove(buf, rest.at, used);
        if (used == sizeof(buf)) {
            used = 0;
            cut = 1;
        }
    }
    return rv;
}

/* Where this version is mounted, or where it usually is: which is not kept when
 * it is only that the list could not be read now. */
static void look_up_mount(amgr_proc_dir_t *dir, pid_t pid, int version,
                          amgr_proc_mount_t *out)
{
    static const amgr_proc_mount_t usual[] = {{1, "/", "/sys/fs/cgroup/memory"},
                                              {2, "/", "/sys/fs/cgroup"}};
    apr_status_t rv;
    int fd;

    rv = amgr_proc_open(dir, pid, "mountinfo", &fd);
    if (rv == APR_SUCCESS) {
        rv = find_mount(fd, version, out);
        close(fd);
    }
    if (rv != APR_SUCCESS) {
        *out = usual[version - 1];
        if (rv != APR_NOTFOUND && rv != APR_EACCES) {
            out->version = 0;
        }
    }
}

/* The path below the mount of a cgroup, "" when it is the mounted one, or one
 * that cannot be seen from here. */
static const char *below(const amgr_proc_mount_t *mount, const char *path)
{
    apr_size_t len = strlen(mount->root);

    if (strcmp(mount->root, "/") == 0) {
        len = 0;
    }
    if (strncmp(path, mount->root, len) != 0 || path[len] != '/' ||
        path[len + 1] == '\0' || strstr(path, "/..") != NULL) {
        return "";
    }
    return path + len;
}

/* A path that files are appended to. */
typedef struct amgr_cgroup_path_t {
    char file[PATH_LEN];
    apr_size_t base; /* up to where its cgroups are mounted */
    apr_size_t len;
} amgr_cgroup_path_t;

static int make_path(amgr_cgroup_path_t *path, const amgr_proc_mount_t *mount,
                     const char *prefix, const char *cgroup)
{
    apr_size_t prefix_len = strlen(prefix);

    path->base = prefix_len + strlen(mount->point);
    path->len = path->base + strlen(cgroup);
    if (path->len >= sizeof(path->file)) {
        return 0;
    }
    memcpy(path->file, prefix, prefix_len);
    memcpy(path->file + prefix_len, mount->point, path->base - prefix_len);
    memcpy(path->file + path->base, cgroup, path->len - path->base);
    return 1;
}

/* To the cgroup around; 0 when this was the mounted one. */
static int go_up(amgr_cgroup_path_t *path)
{
    if (path->len <= path->base) {
        return 0;
    }
    while (path->len > path->base && path->file[path->len - 1] != '/') {
        path->len--;
    }
    while (path->len > path->base && path->file[path->len - 1] == '/') {
        path->len--;
    }
    return 1;
}

/* A number of this cgroup; AMGR_UNKNOWN when it cannot be read, too. */
static apr_uint64_t read_number(amgr_cgroup_path_t *path, const char *name)
{
    apr_uint64_t bytes = AMGR_UNKNOWN;
    apr_size_t len = 0;
    char text[64];

    if (path->len + 1 + strlen(name) >= sizeof(path->file)) {
        return AMGR_UNKNOWN;
    }
    path->file[path->len] = '/';
    memcpy(path->file + path->len + 1, name, strlen(name) + 1);
    if (read_at(AT_FDCWD, path->file, text, sizeof(text), &len) ==
        APR_SUCCESS) {
        /* What cannot be parsed leaves it unknown. */
        (void)amgr_proc_parse_cgroup_limit(text, len, &bytes);
    }
    return bytes;
}

/* The smallest limit from this cgroup up to the mounted one, and what the
 * closest with that limit uses. */
static void read_limits(const amgr_proc_mount_t *mount, int is_v1,
                        const char *prefix, const char *cgroup,
                        amgr_proc_capacity_t *out)
{
    amgr_cgroup_path_t path;

    if (!make_path(&path, mount, prefix, cgroup)) {
        return;
    }
    do {
        apr_uint64_t bytes =
            read_number(&path, is_v1 ? "memory.limit_in_bytes" : "memory.max");

        if (bytes < out->cgroup_limit_bytes) {
            out->cgroup_limit_bytes = bytes;
            out->cgroup_used_bytes = read_number(
                &path, is_v1 ? "memory.usage_in_bytes" : "memory.current");
        }
    } while (go_up(&path));
}

static void read_cgroups(amgr_proc_dir_t *dir, pid_t pid, const char *prefix,
                         amgr_proc_mount_t *mount, amgr_proc_capacity_t *out)
{
    char text[PATH_LEN];
    char path[PATH_LEN];
    apr_size_t len = 0;
    int version = 0;

    if (!amgr_proc_make_path(path, sizeof(path), pid, "cgroup") ||
        read_at(dir->fd, path, text, sizeof(text), &len) != APR_SUCCESS ||
        amgr_proc_parse_cgroup(text, len, &version, path, sizeof(path)) !=
            APR_SUCCESS) {
        return;
    }
    if (mount->version != version) {
        look_up_mount(dir, pid, version, mount);
    }
    read_limits(mount, version == 1, prefix, below(mount, path), out);
}

apr_status_t amgr_proc_read_capacity(amgr_proc_dir_t *dir, pid_t pid,
                                     const char *prefix,
                                     amgr_proc_mount_t *mount,
                                     amgr_proc_capacity_t *out)
{
    amgr_proc_capacity_t found;
    apr_size_t len = 0;
    char text[PATH_LEN];
    apr_status_t rv;

    amgr_proc_capacity_clear(&found);
    rv = read_at(dir->fd, "meminfo", text, sizeof(text), &len);
    if (rv == APR_SUCCESS) {
        rv = amgr_proc_parse_meminfo(text, len, &found.machine_bytes,
                                     &found.available_bytes);
    }
    read_cgroups(dir, pid, prefix, mount, &found);
    if (rv != APR_SUCCESS && found.cgroup_limit_bytes == AMGR_UNKNOWN) {
        return amgr_proc_note(dir, "meminfo", rv);
    }
    found.limited = found.cgroup_limit_bytes < found.machine_bytes;
    found.bytes =
        found.limited ? found.cgroup_limit_bytes : found.machine_bytes;
    *out = found;
    return APR_SUCCESS;
}
