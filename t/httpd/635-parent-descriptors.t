#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A worker that the parent forks while it has no descriptor left, so that it
# cannot read when that worker began, is retired like any other once it can.
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

sub workers {
    my ($s) = @_;
    return grep { AMGR::Httpd::comm($_) =~ /^(?:apache2|httpd)$/
                  && AMGR::Httpd::is_alive($_) } $s->children;
}

my $s = AMGR::Httpd->new(mpm => 'event', interval => '200ms', mpm_config =>
    "StartServers 1\nThreadsPerChild 4\nMinSpareThreads 1\n"
    . "MaxSpareThreads 8\nServerLimit 4\nMaxRequestWorkers 16\n",
    config => "ManagerMinAge 1s\nManagerMaxLifetime 4s 0%\n");
$s->{env} = { LD_PRELOAD => $s->build_object('fork_limit') };
$s->expect_log(qr/AH00052: child pid \d+ exit signal Killed/,
               qr/\(24\)Too many open files: /);
$s->start;
$s->wait_ticks(1);
my $parent = $s->parent_pid;
my ($soft) = AMGR::Httpd::slurp("/proc/$parent/limits")
    =~ /^Max open files\s+(\d+)/m;
my %before = map { $_ => 1 } workers($s);
ok(exhaust($parent), 'the parent has no descriptor left');
kill 'KILL', keys %before;
my $new;
ok(wait_until(sub { ($new) = grep { !$before{$_} } workers($s) }, SOON,
              'another'), 'a worker that is killed has a successor');
ok(limit($parent, $soft), 'the parent has descriptors again');
ok(wait_until(sub { $s->log_text =~ /AMGR0001: Killing native worker $new /},
              SOON, "$new is retired"), 'which is retired when its time comes');
ok(wait_until(sub { !AMGR::Httpd::is_alive($new) }, SOON, 'its end'),
   'and goes');
$s->stop_ok;
done_testing();
