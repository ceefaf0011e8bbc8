/* SPDX-License-Identifier: Apache-2.0
 *
 * See proc_task.h.  The numbers of system calls differ by architecture, and
 * newer ones lack the older calls, so every row of the table asks whether
 * there is such a call here.
 */
#include "proc/proc_task.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/sink.h"
#include "proc/proc_internal.h"
#include "proc/proc_scan.h"

/** Nine numbers of at most 18 characters, and what wchan may hold. */
#define LINE_LEN 512

/** Threads that are asked for the memory that they share. */
#define TIDS_MAX 16

/** Where a call has its descriptor: the first argument, or nowhere. */
#define FD_FIRST 0
#define FD_NONE (-1)

typedef struct call_t {
    int number;
    int fd; /**< FD_FIRST or FD_NONE */
    const char *name;
} call_t;

#define CALL(name, fd)        \
    {                         \
        SYS_##name, fd, #name \
    }

/* Those that a thread of a server can be found blocked in. */
static const call_t calls[] = {
    CALL(read, FD_FIRST),
    CALL(write, FD_FIRST),
    CALL(readv, FD_FIRST),
    CALL(writev, FD_FIRST),
    CALL(pread64, FD_FIRST),
    CALL(pwrite64, FD_FIRST),
    CALL(preadv, FD_FIRST),
    CALL(pwritev, FD_FIRST),
    CALL(sendfile, FD_FIRST),
    CALL(splice, FD_FIRST),
    CALL(connect, FD_FIRST),
    CALL(accept, FD_FIRST),
    CALL(accept4, FD_FIRST),
    CALL(recvfrom, FD_FIRST),
    CALL(recvmsg, FD_FIRST),
    CALL(recvmmsg, FD_FIRST),
    CALL(sendto, FD_FIRST),
    CALL(sendmsg, FD_FIRST),
    CALL(sendmmsg, FD_FIRST),
    CALL(shutdown, FD_FIRST),
    CALL(close, FD_FIRST),
    CALL(fcntl, FD_FIRST),
    CALL(flock, FD_FIRST),
    CALL(ioctl, FD_FIRST),
    CALL(fsync, FD_FIRST),
    CALL(fdatasync, FD_FIRST),
    CALL(ftruncate, FD_FIRST),
    CALL(fallocate, FD_FIRST),
    CALL(fstat, FD_FIRST),
    CALL(getdents64, FD_FIRST),
    CALL(epoll_pwait, FD_FIRST),
    CALL(futex, FD_NONE),
    CALL(ppoll, FD_NONE),
    CALL(pselect6, FD_NONE),
    CALL(semop, FD_NONE),
    CALL(semtimedop, FD_NONE),
    CALL(msgrcv, FD_NONE),
    CALL(msgsnd, FD_NONE),
    CALL(wait4, FD_NONE),
    CALL(waitid, FD_NONE),
    CALL(nanosleep, FD_NONE),
    CALL(clock_nanosleep, FD_NONE),
    CALL(rt_sigsuspend, FD_NONE),
    CALL(rt_sigtimedwait, FD_NONE),
    CALL(restart_syscall, FD_NONE),
    CALL(openat, FD_NONE),
    CALL(faccessat, FD_NONE),
    CALL(unlinkat, FD_NONE),
    CALL(mkdirat, FD_NONE),
    CALL(truncate, FD_NONE),
    CALL(sync, FD_NONE),
    CALL(mmap, FD_NONE),
    CALL(munmap, FD_NONE),
    CALL(mprotect, FD_NONE),
    CALL(madvise, FD_NONE),
    CALL(msync, FD_NONE),
    CALL(brk, FD_NONE),
    CALL(clone, FD_NONE),
    CALL(execve, FD_NONE),
    CALL(exit_group, FD_NONE),
#ifdef SYS_statx
    CALL(statx, FD_NONE),
#endif
#ifdef SYS_newfstatat
    CALL(newfstatat, FD_NONE),
#endif
#ifdef SYS_renameat2
    CALL(renameat2, FD_NONE),
#endif
#ifdef SYS_copy_file_range
    CALL(copy_file_range, FD_FIRST),
#endif
#ifdef SYS_preadv2
    CALL(preadv2, FD_FIRST),
#endif
#ifdef SYS_pwritev2
    CALL(pwritev2, FD_FIRST),
#endif
#ifdef SYS_io_uring_enter
    CALL(io_uring_enter, FD_FIRST),
#endif
#ifdef SYS_epoll_pwait2
    CALL(epoll_pwait2, FD_FIRST),
#endif
#ifdef SYS_faccessat2
    CALL(faccessat2, FD_NONE),
#endif
#ifdef SYS_clone3
    CALL(clone3, FD_NONE),
#endif
#ifdef SYS_epoll_wait
    CALL(epoll_wait, FD_FIRST),
#endif
#ifdef SYS_poll
    CALL(poll, FD_NONE),
#endif
#ifdef SYS_select
    CALL(select, FD_NONE),
#endif
#ifdef SYS_pause
    CALL(pause, FD_NONE),
#endif
#ifdef SYS_open
    CALL(open, FD_NONE),
#endif
#ifdef SYS_stat
    CALL(stat, FD_NONE),
#endif
#ifdef SYS_lstat
    CALL(lstat, FD_NONE),
#endif
#ifdef SYS_access
    CALL(access, FD_NONE),
#endif
#ifdef SYS_unlink
    CALL(unlink, FD_NONE),
#endif
#ifdef SYS_rename
    CALL(rename, FD_NONE),
#endif
#ifdef SYS_mkdir
    CALL(mkdir, FD_NONE),
#endif
#ifdef SYS_vfork
    CALL(vfork, FD_NONE),
#endif
};

#undef CALL

/* " 0x1f": a blank, then a number as the kernel's %#lx prints it, which is
 * without 0x for 0 in some versions. */
static int scan_number(scan_t *s, apr_uint64_t *out)
{
    if (!scan_char(s, ' ')) {
        return 0;
    }
    if (s->end - s->at > 2 && s->at[0] == '0' && s->at[1] == 'x') {
        s->at += 2;
    }
    return scan_hex(s, out);
}

/* Stack pointer, program counter, and the end of the line. */
static int scan_rest(scan_t *s)
{
    apr_uint64_t stack;
    apr_uint64_t counter;

    return scan_number(s, &stack) && scan_number(s, &counter) &&
           s->at == s->end;
}

apr_status_t amgr_proc_parse_syscall(const char *buf, apr_size_t len,
                                     amgr_proc_syscall_t *out)
{
    static const char running[] = "running";
    amgr_proc_syscall_t call;
    scan_t s = {buf, buf + len};
    apr_uint64_t number;
    int i;

    memset(&call, 0, sizeof(call));
    call.number = -1;
    /* Without its end the last number may be a part of itself. */
    if (len == 0 || buf[len - 1] != '\n') {
        return APR_EGENERAL;
    }
    s.end--;
    if (len == sizeof(running) && memcmp(buf, running, len - 1) == 0) {
        call.state = AMGR_TASK_RUNNING;
        *out = call;
        return APR_SUCCESS;
    }
    if (scan_char(&s, '-')) {
        call.state = AMGR_TASK_OUTSIDE;
        if (!scan_char(&s, '1') || !scan_rest(&s)) {
            return APR_EGENERAL;
        }
        *out = call;
        return APR_SUCCESS;
    }
    if (!scan_u64(&s, &number) || number > INT_MAX) {
        return APR_EGENERAL;
    }
    call.state = AMGR_TASK_SYSCALL;
    call.number = (apr_int32_t)number;
    for (i = 0; i < (int)AMGR_COUNT(call.args); i++) {
        if (!scan_number(&s, &call.args[i])) {
            return APR_EGENERAL;
        }
    }
    if (!scan_rest(&s)) {
        return APR_EGENERAL;
    }
    *out = call;
    return APR_SUCCESS;
}

apr_status_t amgr_proc_parse_wchan(const char *buf, apr_size_t len, char *out,
                                   apr_size_t size)
{
    apr_size_t i;

    if (len > 0 && buf[len - 1] == '\n') {
        len--;
    }
    if (len == 0 || size == 0) {
        return APR_EGENERAL;
    }
    for (i = 0; i < len; i++) {
        if (!apr_isalnum(buf[i]) && buf[i] != '_' && buf[i] != '.') {
            return APR_EGENERAL;
        }
    }
    if (len == 1 && buf[0] == '0') {
        len = 0;
    }
    if (len > size - 1) {
        len = size - 1;
    }
    memcpy(out, buf, len);
    out[len] = '\0';
    return APR_SUCCESS;
}

apr_status_t amgr_proc_tasks_open(amgr_proc_dir_t *dir,
                                  const amgr_proc_id_t *id,
                                  amgr_proc_dir_t *out_tasks)
{
    amgr_proc_dir_t tasks;
    amgr_proc_id_t now;
    apr_status_t rv;

    memset(&tasks, 0, sizeof(tasks));
    rv = amgr_proc_open(dir, id->pid, "task", &tasks.fd);
    if (rv != APR_SUCCESS) {
        return amgr_proc_note(dir, "task", rv);
    }
    /* Only after opening: who has the pid now had it then, or the directory
     * is that of a process which has ended. */
    rv = amgr_proc_read_id(dir, id->pid, &now);
    if (rv == APR_SUCCESS && !amgr_proc_id_equal(&now, id)) {
        rv = APR_NOTFOUND;
    }
    if (rv != APR_SUCCESS) {
        close(tasks.fd);
        return rv;
    }
    *out_tasks = tasks;
    return APR_SUCCESS;
}

apr_status_t amgr_proc_read_left_statm(amgr_proc_dir_t *dir,
                                       const amgr_proc_id_t *id,
                                       amgr_proc_statm_t *out)
{
    amgr_proc_dir_t tasks;
    pid_t tids[TIDS_MAX];
    apr_status_t rv = amgr_proc_tasks_open(dir, id, &tasks);
    int count = 0;
    int i;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = amgr_proc_list(&tasks, tids, TIDS_MAX, &count);
    if (rv == APR_SUCCESS || rv == APR_ENOSPC) {
        rv = APR_NOTFOUND;
    }
    for (i = 0; i < count && rv == APR_NOTFOUND; i++) {
        rv = amgr_proc_read_statm(&tasks, tids[i], out);
    }
    amgr_proc_dir_close(&tasks);
    return rv;
}

apr_status_t amgr_proc_read_syscall(amgr_proc_dir_t *tasks, pid_t tid,
                                    amgr_proc_syscall_t *out)
{
    char buf[LINE_LEN];
    apr_size_t len;
    apr_status_t rv;

    rv = amgr_proc_read_raw(tasks, tid, "syscall", buf, sizeof(buf), &len);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return amgr_proc_note(tasks, "syscall",
                          amgr_proc_parse_syscall(buf, len, out));
}

apr_status_t amgr_proc_read_wchan(amgr_proc_dir_t *tasks, pid_t tid, char *out,
                                  apr_size_t size)
{
    char buf[LINE_LEN];
    apr_size_t len;
    apr_status_t rv;

    rv = amgr_proc_read_raw(tasks, tid, "wchan", buf, sizeof(buf), &len);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return amgr_proc_note(tasks, "wchan",
                          amgr_proc_parse_wchan(buf, len, out, size));
}

/* The row of a blocked thread's call, or NULL. */
static const call_t *find_call(const amgr_proc_syscall_t *call)
{
    apr_size_t i;

    if (call->state != AMGR_TASK_SYSCALL) {
        return NULL;
    }
    for (i = 0; i < AMGR_COUNT(calls); i++) {
        if (calls[i].number == call->number) {
            return &calls[i];
        }
    }
    return NULL;
}

char *amgr_proc_syscall_name(const amgr_proc_syscall_t *call, char *buf,
                             apr_size_t size)
{
    const call_t *known = find_call(call);
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, buf, size);
    if (known != NULL) {
        amgr_sink_puts(&sink, known->name);
    }
    else if (call->state == AMGR_TASK_SYSCALL) {
        amgr_sink_puts(&sink, "syscall ");
        amgr_sink_i64(&sink, call->number);
    }
    else if (call->state == AMGR_TASK_OUTSIDE) {
        amgr_sink_puts(&sink, "page fault");
    }
    else {
        amgr_sink_puts(&sink, "running");
    }
    return amgr_sink_text(&sink);
}

int amgr_proc_syscall_fd(const amgr_proc_syscall_t *call)
{
    const call_t *known = find_call(call);

    /* The kernel takes the lower half of the register. */
    if (known == NULL || known->fd == FD_NONE ||
        (call->args[0] & 0xffffffffU) > INT_MAX) {
        return -1;
    }
    return (int)(call->args[0] & 0xffffffffU);
}

int amgr_proc_syscall_futex(const amgr_proc_syscall_t *call,
                            amgr_proc_futex_t *out)
{
    apr_uint64_t op = call->args[1];

    if (call->state != AMGR_TASK_SYSCALL || call->number != SYS_futex) {
        return 0;
    }
    switch (op & (apr_uint64_t)FUTEX_CMD_MASK & 0xffffffffU) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
    case FUTEX_LOCK_PI:
    case FUTEX_WAIT_REQUEUE_PI:
#ifdef FUTEX_LOCK_PI2
    case FUTEX_LOCK_PI2:
#endif
        break;
    default:
        return 0;
    }
    out->address = call->args[0];
    out->is_private = (op & FUTEX_PRIVATE_FLAG) != 0;
    return 1;
}
