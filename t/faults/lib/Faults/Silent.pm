# SPDX-License-Identifier: Apache-2.0
#
# What may fail without being told, and why nothing is lost by that.
package Faults::Silent;

use strict;
use warnings;

use Exporter qw(import);
our @EXPORT_OK = qw(may_be_silent functions);

# By place, call and way.
my @silent = (
    # Begun again, or looked at again at once.
    [qr/./, qr/./, qr/^(?:EINTR|SHORT|EAGAIN)$/],
    [qr{ src/(?:httpd/control|supervise/)}, qr/^(?:poll|ppoll)$/, qr/./],
    [qr/^(?:hear_signals|take_turn|look_after) /, qr/^read$/, qr/./],
    [qr/^(?:receive|hear_order|amgr_guard_receive|amgr_guard_send|send_one) /,
     qr/^(?:recv|recvmsg|send|sendmsg)$/, qr/./],
    [qr/^(?:accept_one) /, qr/^(?:accept4|getsockopt)$/, qr/./],
    # The descriptor is gone all the same, and it was one to read from; where
    # what was written may be lost with it, that is told.
    [qr/./, qr/^close$/, qr/./],
    # Taken for a process that has just ended, and looked at again.
    [qr{ src/proc/}, qr/./, qr/^(?:ENOENT|ESRCH|END)$/],
    # Whoever shall be signalled is looked at by its first worker that can be
    # read; the first look of the supervisor's and a guard's is repeated until
    # the kernel says that there is no child.
    [qr{ src/proc/proc_(?:read|list)}, qr/./, qr/^(?:EMFILE|EIO|EACCES)$/],
    # What a thread waits for is looked at again by the next look at locks.
    [qr{ src/proc/proc_(?:maps|task)}, qr/./, qr/./],
    # A signal that the kernel does not deliver is followed by SIGKILL, and that
    # by another one; whether somebody is left is asked anew at each look.
    [qr{ src/supervise/guard/}, qr/^(?:kill|signal_0)$/, qr/./],
    [qr/^kill_run /, qr/^kill$/, qr/./],
    [qr/^amgr_proc_child_signal /, qr/^pidfd_send_signal$/, qr/./],
    # That nobody is there to be reaped is no failure.
    [qr/^amgr_supervisor_reap /, qr/^wait4$/, qr/^ECHILD$/],
    # The next asking has another number, and wakes them again.
    [qr/^wake /, qr/^futex$/, qr/./],
    # Asked again; and of one that was told to end nobody wants to know how.
    [qr/^amgr_proc_child_has_ended /, qr/^(?:poll|waitid)$/, qr/./],
    # Told once until it succeeds, which another case may have waited for.
    [qr{^(?:pack|write_all|send_message) src/httpd/supervisor_link}, qr/./,
     qr/./],
    # A way that is not there is told by the order that wants to go it.
    [qr/^find_wall /, qr/^stat$/, qr/./],
    # A lock that was taken away is made anew, and so is one that cannot be seen.
    [qr/^is_named /, qr/^(?:fstat|lstat)$/, qr/./],
    # Looked at again by whoever makes the next socket there.
    [qr/^(?:amgr_socket_place_clean|is_in_place) /, qr/^lstat$/, qr/./],
    # A socket that nobody listens at any more gives way to the next one there.
    [qr/^amgr_socket_place_close /, qr/^unlink$/, qr/./],
    [qr/^bind_to /, qr/^bind$/, qr/^EADDRINUSE$/],
    # There is another way to the same.
    [qr/^amgr_commands_init /, qr/^(?:prlimit|getrlimit)$/, qr/./],
    [qr/^ask_(?:kernel|family) /, qr/./, qr/./],
    # Nothing stands there yet, so that nothing is in the way.
    [qr/^check_place /, qr/^fstatat$/, qr/^ENOENT$/],
    # A verifier that has no program says so itself.
    [qr/^find_fetch /, qr/^access$/, qr/./],
    # Whose end it is to be told of is asked right after it.
    [qr/^live /, qr/^prctl$/, qr/./],
    # Descriptors are closed one by one.
    [qr/^amgr_descriptors_close /, qr/^close_range$/, qr/./],
    # That rights cannot be had back is what it asks for.
    [qr/^(?:amgr_identity_take_ids|become_user) /, qr/^setuid$/, qr/^EPERM$/],
    # A program of ManagerKillCommand may write to nowhere.
    [qr{^take_descriptors src/httpd/command}, qr/^fcntl$/, qr/./],
    # What a process does without: its place among those that the kernel ends
    # first, lower limits, the owner of a pipe, a name, that it leads a session.
    [qr/^(?:set_oom|be_ordinary|lower_limit|become_managed) /,
     qr/^(?:open|write|getrlimit|setrlimit|fchown)$/, qr/./],
    [qr{ src/supervise/check/}, qr/^(?:setsid|prctl)$/, qr/./],
    [qr/^(?:amgr_supervisor_run|amgr_guard_live|amgr_helper_process_begin) /,
     qr/^(?:setsid|setpgid|prctl)$/, qr/./],
    [qr/^(?:become_program|hear_signals|end_with_supervisor) /,
     qr/^(?:setsid|setpgid|prctl|sigaction)$/, qr/./],
    [qr/^take_standard /, qr/^(?:open|dup2|dup3)$/, qr/./],
    [qr/^(?:take_signals|check_sigchld|reset_signals) /, qr/^sigaction$/,
     qr/./],
    [qr/^(?:raise_descriptor_limit|may_be_so_large|become_program) /,
     qr/^(?:getrlimit|setrlimit)$/, qr/./],
    # The words of an attempt or a program, or what it has written, are lost;
    # how it ended is not.
    [qr{ src/supervise/check/}, qr/^read$/, qr/./],
    [qr/^settle /, qr/^read$/, qr/./],
    [qr/^(?:read_chunk|amgr_launch_report) /, qr/^read$/, qr/./],
    # Such a worker is told apart when it is to be asked.
    [qr/^list_pipes /, qr/./, qr/./],
    # Whether a restart without the module took the board's file away is looked
    # at again by the next one.
    [qr/^amgr_board_file_is_missing /, qr/^lstat$/, qr/./],
    # One boot looks like another, so that the owner's start time decides.
    [qr/^read_boot_id /, qr/./, qr/./],
);

# Those that are named above: a rule for one that has another name by now says
# nothing.
sub functions {
    my %name;
    for my $rule (@silent) {
        my ($names) = "$rule->[0]" =~ /:\^(?:\(\?:)?([\w|]+)\)? / or next;
        $name{$_} = 1 for split /\|/, $names;
    }
    return sort keys %name;
}

sub may_be_silent {
    my ($way) = @_;
    for my $rule (@silent) {
        my ($where, $call, $how) = @$rule;
        return 1 if $way->{where} =~ $where && $way->{call} =~ $call
            && $way->{how} =~ $how;
    }
    return 0;
}

1;
