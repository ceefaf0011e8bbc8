/* SPDX-License-Identifier: Apache-2.0
 *
 * See board_file.h.  The file is complete before it gets its name, so nobody
 * ever maps half a board; its space is allocated, so that no write to the
 * mapping can end in SIGBUS on a full disk.
 */
#include "httpd/board_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/safe_place.h"
#include "proc/proc_read.h"

#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"

static apr_status_t read_boot_id(char *out, apr_size_t size)
{
    ssize_t got;
    int fd = open(BOOT_ID_PATH, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return errno;
    }
    got = read(fd, out, size - 1);
    close(fd);
    if (got <= 0) {
        return APR_EGENERAL;
    }
    out[got] = '\0';
    out[strcspn(out, "\n")] = '\0';
    return APR_SUCCESS;
}

apr_status_t amgr_board_file_owner(amgr_board_owner_t *out)
{
    amgr_proc_dir_t proc;
    apr_status_t rv;

    memset(out, 0, sizeof(*out));
    rv = amgr_proc_dir_open(&proc, "/proc");
    if (rv == APR_SUCCESS) {
        rv = amgr_proc_read_id(&proc, getpid(), &out->id);
        amgr_proc_dir_close(&proc);
    }
    out->id.pid = getpid();
    /* Where the kernel hides it, all boots look alike; pid and start time
     * still tell most owners apart. */
    (void)read_boot_id(out->boot_id, sizeof(out->boot_id));
    return rv;
}

static int owner_is_alive(const amgr_board_owner_t *owner,
                          const amgr_board_owner_t *self)
{
    amgr_proc_dir_t proc;
    amgr_proc_stat_t now;
    int alive;

    /* A boot that is not known may be the same. */
    if (owner->id.pid <= 0 || owner->id.pid == self->id.pid ||
        (owner->boot_id[0] != '\0' && self->boot_id[0] != '\0' &&
         strncmp(owner->boot_id, self->boot_id, sizeof(self->boot_id)) != 0)) {
        return 0;
    }
    if (amgr_proc_dir_open(&proc, "/proc") != APR_SUCCESS) {
        /* Nobody can say whether it is the same one: better safe. */
        return kill(owner->id.pid, 0) == 0 || errno == EPERM;
    }
    /* One that nobody reaps has gone all the same. */
    alive = amgr_proc_read_stat(&proc, owner->id.pid, &now) == APR_SUCCESS &&
            now.start_ticks == owner->id.start_ticks && now.state != 'Z';
    amgr_proc_dir_close(&proc);
    return alive;
}

/** Whether the file is the board of a server that still runs. */
static apr_status_t look_inside(int fd, const amgr_board_owner_t *self,
                                int *out_taken)
{
    struct stat st;
    apr_size_t size;
    void *memory;

    if (fstat(fd, &st) != 0) {
        return errno;
    }
    /* Another user's file could be cut short under our mapping. */
    if (!S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_uid != geteuid()) {
        return APR_SUCCESS;
    }
    size = (apr_size_t)st.st_size;
    memory = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        return errno;
    }
    *out_taken = amgr_board_check(memory, size, NULL) != APR_EGENERAL &&
                 owner_is_alive(amgr_board_owner(memory), self);
    munmap(memory, size);
    return APR_SUCCESS;
}

/** The same of whatever is at @a path; what cannot be looked at for want of
 * descriptors or memory is nobody's to replace. */
static apr_status_t find_taken(const char *path, const amgr_board_owner_t *self,
                               int *out_taken)
{
    apr_status_t rv;
    int fd;

    *out_taken = 0;
    do {
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        return errno == EMFILE || errno == ENFILE || errno == ENOMEM
                   ? errno
                   : APR_SUCCESS;
    }
    rv = look_inside(fd, self, out_taken);
    close(fd);
    return rv;
}

/** Map @a fd for writing, for the parent and the ticker alone. */
static apr_status_t map_writable(amgr_board_file_t *file, int fd)
{
    void *memory =
        mmap(NULL, file->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (memory == MAP_FAILED) {
        return errno;
    }
    file->memory = memory;
    return madvise(memory, file->size, MADV_DONTFORK) == 0 ? APR_SUCCESS
                                                           : errno;
}

/**
 * Map @a fd for reading, for everybody.  It must be one that was opened
 * read-only or sealed against writing, for only then mprotect(2) refuses to
 * make the mapping writable.
 */
static apr_status_t map_shared(amgr_board_file_t *file, int fd)
{
    const void *shared = mmap(NULL, file->size, PROT_READ, MAP_SHARED, fd, 0);

    if (shared == MAP_FAILED) {
        return errno;
    }
    file->shared = shared;
    return APR_SUCCESS;
}

/** Whether a file may be so large: beyond the limit the kernel would not only
 * refuse, but end the process (SIGXFSZ). */
static int may_be_so_large(apr_size_t size)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_FSIZE, &limit) != 0 ||
           limit.rlim_cur == RLIM_INFINITY || size <= limit.rlim_cur;
}

/** Size, allocate, map and lay out the board that @a fd will be. */
static apr_status_t fill(amgr_board_file_t *file, int fd,
                         const amgr_board_dims_t *dims,
                         const amgr_board_owner_t *owner)
{
    apr_status_t rv;

    file->size = amgr_board_size(dims);
    if (!may_be_so_large(file->size)) {
        return EFBIG;
    }
    rv = posix_fallocate(fd, 0, (off_t)file->size);
    if (rv == APR_SUCCESS) {
        rv = map_writable(file, fd);
    }
    if (rv == APR_SUCCESS) {
        amgr_board_init(file->memory, dims, owner);
    }
    return rv;
}

/** Map the file at @a path, which is the one that @a st is of, read-only. */
static apr_status_t share_named(amgr_board_file_t *file, const char *path,
                                const struct stat *st)
{
    struct stat found;
    apr_status_t rv;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0) {
        return errno;
    }
    if (fstat(fd, &found) != 0 || found.st_dev != st->st_dev ||
        found.st_ino != st->st_ino) {
        rv = APR_EACCES; /* somebody put another file there */
    }
    else {
        rv = map_shared(file, fd);
    }
    close(fd);
    return rv;
}

static apr_status_t create_named(amgr_board_file_t *file, const char *path,
                                 const amgr_board_dims_t *dims,
                                 const amgr_board_owner_t *owner)
{
    char temp[sizeof(file->path) + 8];
    struct stat st;
    apr_status_t rv;
    int fd;

    if (strlen(path) >= sizeof(file->path) || !amgr_place_is_safe(path)) {
        return APR_EACCES;
    }
    snprintf(temp, sizeof(temp), "%s.XXXXXX", path);
    fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    rv = fstat(fd, &st) == 0 ? fill(file, fd, dims, owner) : errno;
    close(fd);
    if (rv == APR_SUCCESS) {
        rv = share_named(file, temp, &st);
    }
    if (rv == APR_SUCCESS && rename(temp, path) != 0) {
        rv = errno;
    }
    if (rv != APR_SUCCESS) {
        unlink(temp);
        return rv;
    }
    file->device = st.st_dev;
    file->inode = st.st_ino;
    snprintf(file->path, sizeof(file->path), "%s", path);
    return APR_SUCCESS;
}

static apr_status_t create_anonymous(amgr_board_file_t *file,
                                     const amgr_board_dims_t *dims,
                                     const amgr_board_owner_t *owner)
{
    apr_status_t rv;
    int fd = memfd_create("apache-manager", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0) {
        return errno;
    }
    rv = fill(file, fd, dims, owner);
    if (rv == APR_SUCCESS &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK) != 0) {
        rv = errno;
    }
    if (rv == APR_SUCCESS) {
        rv = map_shared(file, fd);
    }
    close(fd);
    return rv;
}

amgr_board_place_e amgr_board_file_create(amgr_board_file_t *file,
                                          const char *path,
                                          const amgr_board_dims_t *dims,
                                          const amgr_board_owner_t *owner,
                                          apr_status_t *out_status)
{
    amgr_board_place_e place = AMGR_BOARD_ANONYMOUS;
    int is_taken = 0;

    memset(file, 0, sizeof(*file));
    *out_status =
        path == NULL ? APR_SUCCESS : find_taken(path, owner, &is_taken);
    if (is_taken) {
        place = AMGR_BOARD_DIR_TAKEN;
    }
    else if (path != NULL && *out_status == APR_SUCCESS) {
        *out_status = create_named(file, path, dims, owner);
        if (*out_status == APR_SUCCESS) {
            return AMGR_BOARD_IN_FILE;
        }
        amgr_board_file_unmap(file);
    }
    if (create_anonymous(file, dims, owner) != APR_SUCCESS) {
        amgr_board_file_unmap(file);
        return AMGR_BOARD_NOWHERE;
    }
    return place;
}

void amgr_board_file_unmap(amgr_board_file_t *file)
{
    if (file->memory != NULL) {
        munmap(file->memory, file->size);
        file->memory = NULL;
    }
    if (file->shared != NULL) {
        munmap((void *)file->shared, file->size);
        file->shared = NULL;
    }
}

int amgr_board_file_is_missing(const amgr_board_file_t *file)
{
    struct stat st;

    return file->path[0] != '\0' && lstat(file->path, &st) != 0 &&
           errno == ENOENT;
}

void amgr_board_file_remove(const amgr_board_file_t *file)
{
    struct stat st;

    if (file->path[0] != '\0' && lstat(file->path, &st) == 0 &&
        st.st_dev == file->device && st.st_ino == file->inode) {
        unlink(file->path);
    }
}
