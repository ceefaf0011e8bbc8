/* SPDX-License-Identifier: Apache-2.0
 *
 * What can be made to fail, see inject.c.
 */
#ifndef INJECT_H
#define INJECT_H

/* Everything that can be made to fail, and what it returns then.  signal_0 is
 * kill and pidfd_send_signal with that, by which nobody is signalled. */
/* clang-format off */
#define CALLS(X) \
    X(open) X(openat) X(opendir) X(fdopendir) X(read) X(pread) X(readdir) \
    X(getdents64) X(readlinkat) X(recv) X(recvmsg) X(write) X(send) \
    X(sendmsg) X(close) X(lseek) X(fstat) X(fstatat) X(stat) X(lstat) \
    X(access) X(rename) X(renameat) X(unlink) X(unlinkat) X(fchmod) X(fchown) \
    X(fchownat) X(posix_fallocate) X(mkostemp) X(memfd_create) X(mmap) \
    X(munmap) X(madvise) X(malloc) X(calloc) X(realloc) X(fork) X(execve) \
    X(execvp) X(execveat) X(posix_spawn) X(waitpid) X(wait4) X(waitid) \
    X(kill) X(pthread_create) X(pipe2) X(socket) X(socketpair) X(bind) \
    X(listen) X(connect) X(accept4) X(getsockopt) X(setsockopt) \
    X(getsockname) X(getpeername) X(poll) X(ppoll) X(signalfd) X(sigaction) \
    X(sigtimedwait) X(fcntl) X(dup2) X(dup3) X(flock) X(close_range) \
    X(getrlimit) X(setrlimit) X(prlimit) X(getrandom) X(setsid) X(setpgid) \
    X(setuid) X(setgid) X(seteuid) X(setegid) X(setresuid) X(setresgid) \
    X(setgroups) X(initgroups) X(getpwuid_r) \
    X(getgrgid_r) X(getgroups) X(chdir) X(nanosleep) X(prctl) X(pidfd_open) \
    X(pidfd_send_signal) X(tgkill) X(signal_0) X(futex)
/* clang-format on */

#define CALL_ENUM(name) CALL_##name,
enum { CALLS(CALL_ENUM) CALL_COUNT };

/* Not an errno: the call is made, for one byte alone; or finds the end. */
enum { HOW_SHORT = 1000, HOW_END = 1001 };

/* How the call that this caller makes is to fail; 0: it is to be made. */
__attribute__((visibility("hidden"))) int inject_decide(int call, void *caller);

#endif
