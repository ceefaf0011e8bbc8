#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A ticker that has no descriptor left says so, and takes that neither for
# missing rights nor for a process that hides.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);

use constant SOON => 30;

sub limit {
    my ($pid, $soft) = @_;
    return system("prlimit --pid $pid --nofile=$soft:") == 0;
}

# From the first descriptor that is free on there are none any more.
sub exhaust {
    my ($pid) = @_;
    my $fd = 0;
    $fd++ while -l "/proc/$pid/fd/$fd";
    return limit($pid, $fd);
}

my $s = AMGR::Httpd->new(mpm => 'event', interval => '200ms',
                         config => "ManagerMaxMemoryActive 4G\n");
$s->expect_log(qr/\(24\)Too many open files: AMGR00(?:06|07|08): /,
               qr/AH00052: child pid \d+ exit signal Killed/);
$s->start;
$s->wait_ticks(3);
my $ticker = $s->ticker_pid;
my ($worker) = $s->workers;
my ($soft) = AMGR::Httpd::slurp("/proc/$ticker/limits")
    =~ /^Max open files\s+(\d+)/m;
# A worker that has ended stays there as long as nobody reaps it, and is no
# hidden one where its files cannot be opened for want of descriptors.
kill 'STOP', $s->parent_pid;
ok(exhaust($ticker), 'the ticker has no descriptor left');
kill 'KILL', $worker;
ok(wait_until(sub { !AMGR::Httpd::is_alive($worker) }, SOON, 'its end'),
   'a worker ends');
ok($s->wait_ticks(5), 'the ticker goes on');
ok(wait_until(sub { $s->log_text =~ /AMGR0006: (.*)/ }, SOON, 'a word'),
   'it says that it cannot signal');
is($s->log_text =~ /AMGR0006: (.*)/ && $1, 'workers cannot be signalled: '
   . 'limits are watched, nothing is retired', 'and does not guess at rights');
unlike($s->log_text, qr/hidepid/, 'what has ended is not taken for hidden');
ok(limit($ticker, $soft), 'it has descriptors again');
kill 'CONT', $s->parent_pid;
ok($s->wait_ticks(3), 'and goes on');
ok($s->graceful, 'graceful restart');
$s->mark_log;
ok($s->wait_ticks(3), 'the next ticker');
is(scalar(() = $s->log_lines(qr/AMGR000[678]/)), 0, 'has nothing to say');
$s->stop_ok;
done_testing();
