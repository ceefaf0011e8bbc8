# SPDX-License-Identifier: Apache-2.0
#
# One run of a program that may crash or hang, and leave processes behind.
package Faults::Program;

use strict;
use warnings;

use File::Temp ();
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

use constant {
    SUBREAPER => 36, # PR_SET_CHILD_SUBREAPER
    SYS_PRCTL => 157,
    POLL_SEC  => 0.001,
    POLL_MAX_SEC => 0.02,
    LONGEST => 10,
};

# Whatever the programs of this process leave becomes its child.
sub adopt_orphans {
    syscall(SYS_PRCTL, SUBREAPER, 1, 0, 0, 0) == 0 or die "prctl: $!\n";
    return;
}

# { pid, status, signal, late, out, left }: late is one that has said nothing for so
# many seconds; left are the processes, by name, that stayed and were ended.
sub run {
    my ($env, $seconds, @command) = @_;
    my $out = File::Temp->new;
    my $begun = time;
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        POSIX::setsid();
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', $out->filename;
        open STDERR, '>&', \*STDOUT;
        @ENV{keys %$env} = values %$env;
        exec { $command[0] } @command or POSIX::_exit(127);
    }
    my %r = (pid => $pid);
    my $pause = POLL_SEC;
    my ($said, $last) = (0, $begun);
    while (waitpid($pid, WNOHANG) != $pid) {
        my $size = -s $out->filename;
        ($said, $last) = ($size, time) if $size != $said;
        if (!$r{late} && (time > $last + $seconds
                          || time > $begun + LONGEST * $seconds)) {
            $r{late} = 1;
            $r{where} = where_it_hangs($pid);
            kill 'KILL', $pid;
        }
        sleep $pause;
        $pause *= 1.5 if $pause < POLL_MAX_SEC;
    }
    @r{qw(status seconds)} = ($?, time - $begun);
    $r{signal} = $r{late} ? 0 : $r{status} & 127;
    $r{left} = [end_children()];
    seek $out, 0, 0;
    local $/;
    open my $text, '<:raw', $out->filename or die "$out: $!\n";
    $r{out} = <$text> // '';
    return \%r;
}

sub where_it_hangs {
    my ($pid) = @_;
    my @text;
    for my $file (qw(wchan syscall)) {
        open my $in, '<', "/proc/$pid/$file" or next;
        push @text, <$in> // '';
    }
    chomp @text;
    return "@text";
}

# All of them, and what then falls to us, until there is none.
sub end_children {
    my @names;
    while (1) {
        open my $in, '<', "/proc/$$/task/$$/children" or return @names;
        my @pids = split ' ', <$in> // '' or last;
        for my $pid (@pids) {
            if (open my $comm, '<', "/proc/$pid/comm") {
                chomp(my $name = <$comm> // '');
                open my $stat, '<', "/proc/$pid/stat";
                push @names, $name if $stat && (<$stat> // '') !~ /\) Z /;
            }
            kill 'KILL', $pid;
            waitpid $pid, 0;
        }
    }
    return @names;
}

1;
