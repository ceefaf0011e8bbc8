# SPDX-License-Identifier: Apache-2.0
#
# CPU time of other processes, by their CPU clocks: exact to the nanosecond,
# where /proc/PID/stat counts in hundredths of a second.
package Bench::Cpu;

use strict;
use warnings;

use AMGR::Httpd ();
use List::Util qw(sum0);
use Time::HiRes qw(clock_gettime sleep);

use Exporter qw(import);
our @EXPORT_OK = qw(workers cpu_of cpu_during);

# How long after its answer a worker may still be busy with the request.
use constant SETTLE_SEC => 0.03;

# The MPM's children; the ticker, which has another name, is not among them.
sub workers {
    my ($server) = @_;
    my $own = AMGR::Httpd::comm($server->parent_pid);
    return grep { AMGR::Httpd::comm($_) eq $own } $server->children;
}

# Seconds that these processes have used, all threads of each.  The clock of a
# process is named by the complement of its pid, as in clock_getcpuclockid(3).
sub cpu_of {
    my @pids = @_;
    return sum0 map {
        my $seconds = clock_gettime(unpack 'l', pack 'L',
                                    (~$_ << 3 | 2) & 0xffff_ffff);
        die "no CPU clock of process $_\n" if $seconds < 0;
        $seconds;
    } @pids;
}

# Seconds that these processes used while the sub ran.
sub cpu_during {
    my ($pids, $sub) = @_;
    my $before = cpu_of(@$pids);
    $sub->();
    sleep SETTLE_SEC;
    return cpu_of(@$pids) - $before;
}

1;
