#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Killing by the tool itself long after the last tick: what the workers do is
# asked of them, and waited for when none of them is free to tell.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Case::Kill;
use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);
use Time::HiRes qw(time);

before_the_first();
prefork();
event();
done_testing();

# The ticker has ticked once; for seconds it will not again.
sub server {
    my ($mpm) = @_;
    my $s = AMGR::Case::Kill::server($mpm, 'between-ticks',
                                     "ManagerGracePeriod 1s\n",
                                     interval => '9s');
    ok(wait_until(sub { $s->json->{tick_time} }, 10, 'a tick'), 'a tick');
    return $s;
}

# Requests that run for this long by now.
sub requests {
    my ($s, $count, $seconds) = @_;
    my @requests = map { $s->start_request('/app/sleep?s=60') } 1 .. $count;
    ok(wait_until(sub { !grep { $_->took < $seconds } @requests }, 10,
                  'their age'), "$count requests of $seconds s");
    return @requests;
}

# Ten seconds go by until then.
sub before_the_first {
    my $s = AMGR::Case::Kill::server('prefork', 'before-ticks', '',
                                     interval => undef);
    my $r = AMGR::Case::Kill::kill_run($s, '-n', '-i', '1K');
    AMGR::Case::Kill::ended_well($r, 'before the first tick');
    AMGR::Case::Kill::said($r, qr/^apache-manager: Would kill [1-9]\d* of \d+ Apache workers\.$/m,
                           'the kernel knows the workers');
    $s->stop_ok;
    return;
}

sub prefork {
    my $s = server('prefork');
    my ($request) = requests($s, 1, 2.5);
    my $r = AMGR::Case::Kill::kill_run($s, '-n', '-t', '2s');
    AMGR::Case::Kill::ended_well($r, 'a dry run');
    AMGR::Case::Kill::said($r, qr/Would kill native worker \d+ \(active\) hanging for \d+ seconds/,
                           'what hangs since the last tick');
    cmp_ok($r->{seconds}, '<', 5, 'without waiting for the next');
    $r = AMGR::Case::Kill::kill_run($s, '-n', '-t', '30s');
    AMGR::Case::Kill::said($r, qr/No Apache workers to kill \(found \d+ workers within resource usage limits\)\.$/m,
                           'what does not hang yet is left alone');
    $r = AMGR::Case::Kill::kill_run($s, '-t', '2s');
    AMGR::Case::Kill::said($r, qr/^apache-manager: Killed 1 of \d+ Apache workers\.$/m, 'it goes');
    ok($request->wait(10), 'its client is told');
    $s->stop_ok;
    return;
}

sub event {
    my $s = server('event');
    my @requests = requests($s, 3, 0.5);
    # All three may be in one process; another is idle then, and goes.
    my @busy = map { $_->{pid} } grep {
        grep { ($_->{request} // '') =~ m{/app/sleep} && $_->{mode} eq 'W' }
            @{ $_->{slots} // [] }
    } @{ $s->json->{processes} };
    cmp_ok(scalar @busy, '>=', 1, 'workers that are busy');
    my $r = AMGR::Case::Kill::kill_run($s, '-i', '1K');
    my %killed = map { $_ => 1 } $r->{err} =~ /Killing native worker (\d+) /g;
    is(join(' ', grep { $killed{$_} } @busy), '',
       'who is busy now is not idle');
    is(scalar(grep { $_->done } @requests), 0, 'no request is cut off');
    $r = AMGR::Case::Kill::kill_run($s, '-a', '1K');
    AMGR::Case::Kill::said($r, qr/SIGKILL cuts off at least 3 requests \(as of \d\.\d s ago\)/,
                           'what is cut off');
    unlike($r->{err}, qr/no request lost/, 'is not denied');
    ok($_->wait(10), 'a client is told') for @requests;
    $s->stop_ok;
    return;
}
