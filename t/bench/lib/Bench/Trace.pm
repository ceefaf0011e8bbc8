# SPDX-License-Identifier: Apache-2.0
#
# The system calls of a process while a sub runs, by strace, which is attached
# and goes again.
#
#   my @calls = Bench::Trace::calls($pid, sub { ... }, 'read', 'write');
#
# Each is { time, name, line }; without names all calls are traced.
package Bench::Trace;

use strict;
use warnings;

use AMGR::Httpd qw(wait_until);
use File::Temp ();
use POSIX ();

use constant ATTACH_SEC => 20;

sub calls {
    my ($pid, $sub, @names) = @_;
    my $trace = attach($pid, @names);
    my $ok = eval { $sub->(); 1 };
    my $why = $@;
    my @calls = detach($trace);
    die $why unless $ok;
    return @calls;
}

sub attach {
    my ($pid, @names) = @_;
    my $file = File::Temp->new(TEMPLATE => 'amgr-trace-XXXXXX', TMPDIR => 1);
    my @filter = @names ? ('-e', 'trace=' . join ',', @names) : ();
    my $tracer = fork // die "fork: $!\n";
    if ($tracer == 0) {
        open STDERR, '>', '/dev/null';
        exec 'setpriv', '--pdeathsig', 'INT', 'strace', '-qq', '-ttt', '-o',
            $file->filename, @filter, '-p', $pid or POSIX::_exit(127);
    }
    my $trace = { pid => $tracer, file => $file };
    wait_until(sub { tracer_of($pid) == $tracer }, ATTACH_SEC,
               "strace of $pid")
        or do { detach($trace); die "strace cannot trace process $pid\n" };
    return $trace;
}

sub tracer_of {
    my ($pid) = @_;
    my ($tracer) = AMGR::Httpd::slurp("/proc/$pid/status")
        =~ /^TracerPid:\s+(\d+)/m;
    return $tracer // 0;
}

sub detach {
    my ($trace) = @_;
    kill 'INT', $trace->{pid};
    waitpid $trace->{pid}, 0;
    return map {
        /^(\d+\.\d+) (\w+)\(/ ? { time => $1, name => $2, line => $_ } : ();
    } split /\n/, AMGR::Httpd::slurp($trace->{file}->filename);
}

1;
