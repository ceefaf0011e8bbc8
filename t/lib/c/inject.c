/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests only, by LD_PRELOAD: calls into the C library fail that are
 * made by the objects of AMGR_INJECT_FROM (parts of their names, separated by
 * colons), as the file AMGR_INJECT says, which all processes of a server map.
 * It counts these calls too, by role of the process and by the place in the code
 * that makes them.  lib/AMGR/Inject.pm writes and reads that file.
 *
 * A futex is waited for and woken by syscall() alone in this project, so that
 * the locks inside of the C library are left as they are.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "inject.h"

enum {
    ROLE_PARENT,
    ROLE_WORKER,
    ROLE_TICKER,
    ROLE_SUPERVISOR,
    ROLE_GUARD,
    ROLE_CHECK,
    ROLE_OTHER
};

enum { CALL_MAX = 128, NAME_MAX_BYTES = 32, SITE_MAX = 2048 };

typedef struct site_t {
    uint64_t key; /* object, role, offset in the object, call; 0: free */
    uint64_t count;
} site_t;

/* 8 bytes each but for the last two, which have fixed places. */
typedef struct control_t {
    uint64_t armed; /* 0: nothing fails */
    uint64_t call;  /* its number and 1; 0: any */
    uint64_t site;  /* its key; 0: any */
    uint64_t roles; /* a bit for each; 0: any */
    uint64_t first; /* of those that match, from 1 on */
    uint64_t run;   /* how many from there on; 0: all */
    uint64_t how;   /* errno, HOW_SHORT or HOW_END */
    uint64_t seen;  /* that matched */
    uint64_t hits;  /* that failed */
    uint64_t parent;
    char head_end[4096 - 10 * 8];
    char names[CALL_MAX][NAME_MAX_BYTES];
    site_t sites[SITE_MAX];
} control_t;

static control_t *control;
static char from[256];
static char self_path[1024];
static char self_comm[16];

#define CALL_NAME(name) #name,
static const char *const call_names[] = {CALLS(CALL_NAME)};

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("AMGR_INJECT");
    const char *objects = getenv("AMGR_INJECT_FROM");
    ssize_t len;
    void *at;
    int fd, i;

    if (path == NULL || objects == NULL) {
        return;
    }
    snprintf(from, sizeof(from), "%s", objects);
    fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    if (fd < 0) {
        return;
    }
    /* The last one is taken from the stack, where an int has half a word. */
    at = (void *)syscall(SYS_mmap, NULL, sizeof(control_t),
                         PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0L);
    syscall(SYS_close, fd);
    if (at == MAP_FAILED) {
        return;
    }
    len = syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", self_path,
                  sizeof(self_path) - 1);
    self_path[len < 0 ? 0 : len] = '\0';
    syscall(SYS_prctl, PR_GET_NAME, self_comm);
    for (i = 0; i < CALL_COUNT; i++) {
        strncpy(((control_t *)at)->names[i], call_names[i], NAME_MAX_BYTES - 1);
    }
    control = at;
    {
        uint64_t none = 0;

        __atomic_compare_exchange_n(&control->parent, &none, (uint64_t)getpid(),
                                    0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    }
}

/* The number of the object in AMGR_INJECT_FROM, from 1 on, and the offset in
 * it; 0 when the caller is none of them. */
static uint64_t find_caller(void *caller, uint64_t *offset)
{
    struct dl_find_object found;
    const char *name, *at = from;
    uint64_t i;

    /* Takes no lock, unlike dladdr(): a fork may have left that one taken. */
    if (_dl_find_object(caller, &found) != 0) {
        return 0;
    }
    name = found.dlfo_link_map->l_name;
    name = name[0] == '\0' ? self_path : name;
    for (i = 1; at[0] != '\0'; i++) {
        size_t len = strcspn(at, ":");

        if (len > 0 && memmem(name, strlen(name), at, len) != NULL) {
            *offset = (uint64_t)caller - found.dlfo_link_map->l_addr;
            return i;
        }
        at += len + (at[len] == ':');
    }
    return 0;
}

static int find_role(void)
{
    static const struct {
        const char *comm;
        int role;
    } roles[] = {{"apache-manager", ROLE_TICKER},
                 {"apache-managed", ROLE_SUPERVISOR},
                 {"apache-guard", ROLE_GUARD},
                 {"apache-check", ROLE_CHECK}};
    char comm[16] = "";
    size_t i;

    if ((uint64_t)getpid() == control->parent) {
        return ROLE_PARENT;
    }
    syscall(SYS_prctl, PR_GET_NAME, comm);
    for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        if (strcmp(comm, roles[i].comm) == 0) {
            return roles[i].role;
        }
    }
    return strcmp(comm, self_comm) == 0 ? ROLE_WORKER : ROLE_OTHER;
}

static void note_site(uint64_t key)
{
    uint64_t at = (key * 0x9e3779b97f4a7c15u) >> 53;
    int tries;

    for (tries = 0; tries < SITE_MAX; tries++) {
        site_t *site = &control->sites[at];
        uint64_t is = 0;

        if (__atomic_compare_exchange_n(&site->key, &is, key, 0,
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) ||
            is == key) {
            __atomic_add_fetch(&site->count, 1, __ATOMIC_RELAXED);
            return;
        }
        at = (at + 1) % SITE_MAX;
    }
}

int inject_decide(int call, void *caller)
{
    uint64_t object, offset, key, n;
    int role, saved = errno;

    if (control == NULL || (object = find_caller(caller, &offset)) == 0) {
        return 0;
    }
    role = find_role();
    errno = saved;
    key = object << 60 | (uint64_t)role << 56 | offset << 8 |
          (uint64_t)(call + 1);
    note_site(key);
    if (!__atomic_load_n(&control->armed, __ATOMIC_ACQUIRE) ||
        (control->call != 0 && control->call != (uint64_t)(call + 1)) ||
        (control->site != 0 && control->site != key) ||
        (control->roles != 0 && !(control->roles >> role & 1))) {
        return 0;
    }
    n = __atomic_add_fetch(&control->seen, 1, __ATOMIC_SEQ_CST);
    if (n < control->first ||
        (control->run != 0 && n - control->first >= control->run)) {
        return 0;
    }
    __atomic_add_fetch(&control->hits, 1, __ATOMIC_SEQ_CST);
    return (int)control->how;
}
