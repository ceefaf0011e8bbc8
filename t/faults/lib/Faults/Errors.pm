# SPDX-License-Identifier: Apache-2.0
#
# The ways in which each call fails, the likeliest first.
package Faults::Errors;

use strict;
use warnings;

use Exporter qw(import);
our @EXPORT_OK = qw(errors spread);

my %errors = (
    (map { $_ => [qw(EMFILE ENOENT EACCES EINTR)] }
         qw(open openat opendir memfd_create mkostemp)),
    fdopendir => [qw(ENOMEM)],
    (map { $_ => [qw(EIO EINTR SHORT END)] } qw(read pread)),
    recv => [qw(ECONNRESET EINTR EAGAIN SHORT END)],
    recvmsg => [qw(ENOMEM EINTR EAGAIN)],
    write => [qw(ENOSPC EINTR SHORT EPIPE EAGAIN)],
    send => [qw(ECONNRESET EINTR EAGAIN SHORT)],
    sendmsg => [qw(ENOBUFS EINTR EAGAIN)],
    (map { $_ => [qw(EIO ENOENT)] } qw(readdir getdents64 readlinkat)),
    (map { $_ => [qw(EIO EINTR)] } qw(close)),
    fstat => [qw(EIO)],
    (map { $_ => [qw(EIO ENOENT EACCES)] } qw(fstatat stat lstat access)),
    (map { $_ => [qw(ENOSPC EACCES)] } qw(rename renameat)),
    (map { $_ => [qw(EACCES ENOENT)] } qw(unlink unlinkat)),
    (map { $_ => [qw(EPERM)] } qw(fchmod fchown fchownat kill setsid setpgid
         setuid setgid seteuid setegid setresuid setresgid setgroups
         initgroups prctl getpeername setrlimit prlimit)),
    posix_fallocate => [qw(ENOSPC EINTR)],
    (map { $_ => [qw(ENOMEM)] } qw(mmap malloc calloc realloc madvise munmap
         getsockopt setsockopt getsockname getrlimit sigaction lseek)),
    (map { $_ => [qw(EAGAIN ENOMEM)] } qw(fork pthread_create posix_spawn)),
    (map { $_ => [qw(ENOENT ENOMEM EACCES)] } qw(execve execvp execveat)),
    (map { $_ => [qw(EINTR ECHILD)] } qw(waitpid wait4 waitid)),
    (map { $_ => [qw(EMFILE ENFILE)] }
         qw(pipe2 socket socketpair signalfd fcntl dup2 dup3)),
    bind => [qw(EADDRINUSE EACCES)],
    listen => [qw(EADDRINUSE)],
    connect => [qw(ECONNREFUSED EINTR EAGAIN)],
    accept4 => [qw(EMFILE EINTR ECONNABORTED)],
    (map { $_ => [qw(EINTR ENOMEM)] } qw(poll ppoll)),
    (map { $_ => [qw(EINTR)] } qw(nanosleep sigtimedwait)),
    flock => [qw(ENOLCK EINTR EWOULDBLOCK)],
    close_range => [qw(ENOSYS EMFILE)],
    getrandom => [qw(EAGAIN EINTR)],
    (map { $_ => [qw(EIO ERANGE)] } qw(getpwuid_r getgrgid_r)),
    getgroups => [qw(EINVAL)],
    chdir => [qw(EACCES)],
    pidfd_open => [qw(EMFILE ESRCH ENOSYS)],
    (map { $_ => [qw(EPERM ESRCH)] } qw(pidfd_send_signal signal_0)),
    tgkill => [qw(EPERM)],
    futex => [qw(EINTR ENOMEM EAGAIN)],
);

sub errors {
    my ($call) = @_;
    return @{ $errors{$call} // die "no way for $call to fail\n" };
}

# Numbers of 1 .. $count: all of the first ones, and some of the others.
sub spread {
    my ($count, $whole, $more) = @_;
    return 1 .. $count if $count <= $whole;
    my $step = ($count - $whole) / ($more || 1);
    my %number = map { $_ => 1 } 1 .. $whole,
        $more ? map { int($whole + $step * $_) } 1 .. $more : ();
    return sort { $a <=> $b } keys %number;
}

1;
