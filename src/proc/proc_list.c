/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of processes: all of them, or the children of one.  Directories are
 * read with getdents64(2) into a local buffer, because opendir(3) allocates.
 * Pids are collected in a max-heap over the caller's storage: when there are
 * too many it keeps the smallest, and sorting it needs no memory either.
 */
#include "proc/proc_read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "proc/proc_internal.h"

#define DIRENTS_LEN 16384
#define CHILDREN_LEN 4096

/** Pids to make room for at first, and the most the kernel has. */
#define PIDS_FIRST 1024
#define PIDS_MAX (4 * 1024 * 1024)

/** The smallest @c max pids seen so far, the greatest of them first. */
typedef struct heap_t {
    pid_t *pids;
    int count;
    int max;
    int overflow;
} heap_t;

/** Takes one pid (or thread id); an error ends the walk. */
typedef apr_status_t pid_fn(void *baton, pid_t pid);

/** What a walk over threads, or over all processes, needs to know. */
typedef struct children_t {
    amgr_proc_dir_t *dir;
    amgr_proc_dir_t tasks; /**< /proc/PID/task, looks like a /proc */
    pid_t parent;
    heap_t *heap;
} children_t;

static void swap(pid_t *a, pid_t *b)
{
    pid_t pid = *a;

    *a = *b;
    *b = pid;
}

static void sift_down(pid_t *pids, int count, int at)
{
    int child;

    while ((child = 2 * at + 1) < count) {
        if (child + 1 < count && pids[child + 1] > pids[child]) {
            child++;
        }
        if (pids[at] >= pids[child]) {
            return;
        }
        swap(&pids[at], &pids[child]);
        at = child;
    }
}

static void sift_up(pid_t *pids, int at)
{
    while (at > 0 && pids[at] > pids[(at - 1) / 2]) {
        swap(&pids[at], &pids[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

static void heap_add(heap_t *heap, pid_t pid)
{
    if (heap->count < heap->max) {
        heap->pids[heap->count] = pid;
        sift_up(heap->pids, heap->count);
        heap->count++;
        return;
    }
    heap->overflow = 1;
    if (heap->max > 0 && pid < heap->pids[0]) {
        heap->pids[0] = pid;
        sift_down(heap->pids, heap->count, 0);
    }
}

/* Ascending, each once: a list that changes under the reader may repeat. */
static apr_status_t heap_finish(heap_t *heap, int *out_count)
{
    int kept = 0;
    int i;

    for (i = heap->count - 1; i > 0; i--) {
        swap(&heap->pids[0], &heap->pids[i]);
        sift_down(heap->pids, i, 0);
    }
    for (i = 0; i < heap->count; i++) {
        if (kept == 0 || heap->pids[i] != heap->pids[kept - 1]) {
            heap->pids[kept++] = heap->pids[i];
        }
    }
    *out_count = kept;
    return heap->overflow ? APR_ENOSPC : APR_SUCCESS;
}

static apr_status_t collect(void *baton, pid_t pid)
{
    heap_add(baton, pid);
    return APR_SUCCESS;
}

/* Calls @a fn with every entry of the directory that is named like a pid. */
static apr_status_t each_pid(int fd, pid_fn *fn, void *baton)
{
    _Alignas(struct dirent64) char buf[DIRENTS_LEN];
    const struct dirent64 *entry;
    apr_status_t rv;
    ssize_t len;
    ssize_t at;
    pid_t pid;

    for (;;) {
        len = getdents64(fd, buf, sizeof(buf));
        if (len < 0 && errno == EINTR) {
            continue;
        }
        if (len <= 0) {
            return len < 0 ? amgr_proc_status_of(errno) : APR_SUCCESS;
        }
        for (at = 0; at < len; at += entry->d_reclen) {
            entry = (const struct dirent64 *)(const void *)(buf + at);
            if (amgr_proc_parse_pid(entry->d_name, strlen(entry->d_name),
                                    &pid) != APR_SUCCESS) {
                continue;
            }
            rv = fn(baton, pid);
            if (rv != APR_SUCCESS) {
                return rv;
            }
        }
    }
}

/* Reads through a descriptor of its own: dir->fd's offset is shared by all. */
static apr_status_t each_process(amgr_proc_dir_t *dir, pid_fn *fn, void *baton)
{
    apr_status_t rv;
    int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0) {
        return amgr_proc_status_of(errno);
    }
    rv = each_pid(fd, fn, baton);
    close(fd);
    return rv;
}

apr_status_t amgr_proc_list(amgr_proc_dir_t *dir, pid_t *out, int max,
                            int *out_count)
{
    heap_t heap = {out, 0, max, 0};
    apr_status_t rv;

    rv = amgr_proc_note(dir, "", each_process(dir, collect, &heap));
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return heap_finish(&heap, out_count);
}

/* "PID PID ", which a read may cut anywhere: @a token carries the rest over. */
static apr_status_t take_pids(heap_t *heap, const char *buf, ssize_t len,
                              char *token, apr_size_t size,
                              apr_size_t *token_len)
{
    ssize_t i;
    pid_t pid;

    for (i = 0; i < len; i++) {
        if (buf[i] != ' ' && buf[i] != '\n') {
            if (*token_len == size) {
                return APR_EGENERAL;
            }
            token[(*token_len)++] = buf[i];
            continue;
        }
        if (*token_len > 0) {
            if (amgr_proc_parse_pid(token, *token_len, &pid) != APR_SUCCESS) {
                return APR_EGENERAL;
            }
            heap_add(heap, pid);
            *token_len = 0;
        }
    }
    return APR_SUCCESS;
}

static apr_status_t read_children_file(heap_t *heap, int fd)
{
    char buf[CHILDREN_LEN];
    char token[16];
    apr_size_t token_len = 0;
    apr_status_t rv = APR_SUCCESS;
    ssize_t len;

    while (rv == APR_SUCCESS) {
        len = read(fd, buf, sizeof(buf));
        if (len < 0 && errno == EINTR) {
            continue;
        }
        if (len < 0) {
            return amgr_proc_status_of(errno);
        }
        if (len == 0) {
            /* A last pid without a blank after it. */
            return take_pids(heap, " ", 1, token, sizeof(token), &token_len);
        }
        rv = take_pids(heap, buf, len, token, sizeof(token), &token_len);
    }
    return rv;
}

/* The children of one thread.  APR_ENOTIMPL: this kernel does not tell. */
static apr_status_t add_thread(void *baton, pid_t tid)
{
    children_t *c = baton;
    apr_status_t rv;
    int fd;

    rv = amgr_proc_open(&c->tasks, tid, "children", &fd);
    if (rv == APR_NOTFOUND) {
        /* The first thread's entry lasts as long as its process, so it has no
         * such file at all; any other thread may just have ended. */
        return tid == c->parent ? APR_ENOTIMPL : APR_SUCCESS;
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = read_children_file(c->heap, fd);
    close(fd);
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

/* One process of a scan. */
static apr_status_t add_if_child(void *baton, pid_t pid)
{
    children_t *c = baton;
    amgr_proc_stat_t stat;

    if (amgr_proc_read_stat(c->dir, pid, &stat) == APR_SUCCESS &&
        stat.ppid == c->parent) {
        heap_add(c->heap, pid);
    }
    return APR_SUCCESS;
}

static apr_status_t ask_threads(children_t *c)
{
    apr_status_t rv;

    rv = amgr_proc_open(c->dir, c->parent, "task", &c->tasks.fd);
    if (rv != APR_SUCCESS) {
        return rv == APR_NOTFOUND ? APR_ENOTIMPL : rv;
    }
    rv = each_pid(c->tasks.fd, add_thread, c);
    close(c->tasks.fd);
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

/* What amgr_proc_read_children() does, before counting what went wrong. */
static apr_status_t find_children(children_t *c)
{
    apr_status_t rv;

    if (c->parent <= 0) {
        return APR_NOTFOUND; /* 0 would be the children of nobody */
    }
    rv = ask_threads(c);
    if (rv == APR_ENOTIMPL) {
        c->heap->count = 0;
        c->heap->overflow = 0;
        rv = each_process(c->dir, add_if_child, c);
    }
    return rv;
}

apr_status_t amgr_proc_read_children(amgr_proc_dir_t *dir, pid_t pid,
                                     pid_t *out, int max, int *out_count)
{
    heap_t heap = {out, 0, max, 0};
    children_t c;
    amgr_proc_stat_t stat;
    apr_status_t rv;

    memset(&c, 0, sizeof(c));
    c.dir = dir;
    c.parent = pid;
    c.heap = &heap;
    rv = amgr_proc_note(dir, "children", find_children(&c));
    if (rv == APR_SUCCESS && heap.count == 0 && !heap.overflow) {
        /* None, or no such process? */
        rv = amgr_proc_read_stat(dir, pid, &stat);
    }
    return rv != APR_SUCCESS ? rv : heap_finish(&heap, out_count);
}

apr_status_t amgr_proc_list_all(amgr_proc_dir_t *dir, pid_t **out_pids,
                                int *out_count, apr_pool_t *pool)
{
    apr_status_t rv;
    pid_t *pids;
    int max;

    for (max = PIDS_FIRST;; max *= 4) {
        pids = apr_palloc(pool, (apr_size_t)max * sizeof(*pids));
        rv = amgr_proc_list(dir, pids, max, out_count);
        if (rv != APR_ENOSPC || max >= PIDS_MAX) {
            break;
        }
    }
    if (rv == APR_SUCCESS) {
        *out_pids = pids;
    }
    return rv;
}
