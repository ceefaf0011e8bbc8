#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# What a ticker cannot do or see while it has no descriptor left is not decided
# for good: a worker that could not be signalled then is retired when it can be,
# and a daemon that could not be looked at then has not gone.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);

use constant SOON => 40;

sub limit {
    my ($pid, $soft) = @_;
    return system("prlimit --pid $pid --nofile=$soft:") == 0;
}

# 0 to 2 are taken: none is free any more.
sub exhaust {
    my ($pid) = @_;
    return limit($pid, 3);
}

sub soft {
    my ($pid) = @_;
    my ($soft) = AMGR::Httpd::slurp("/proc/$pid/limits")
        =~ /^Max open files\s+(\d+)/m;
    return $soft;
}

sub worker {
    my $s = AMGR::Httpd->new(mpm => 'event', interval => '200ms', mpm_config =>
        "StartServers 1\nThreadsPerChild 4\nMinSpareThreads 1\n"
        . "MaxSpareThreads 8\nServerLimit 4\nMaxRequestWorkers 16\n",
        config => "ManagerMinAge 1s\nManagerMaxLifetime 4s 0%\n");
    $s->expect_log(qr/\(24\)Too many open files: /);
    $s->start;
    $s->wait_ticks(2);
    my $ticker = $s->ticker_pid;
    my $soft = soft($ticker);
    ok(exhaust($ticker), 'the ticker has no descriptor left');
    my $pid;
    ok(wait_until(sub {
        ($pid) = $s->log_text =~ /AMGR0002: Killing native worker (\d+) /;
        return $pid;
    }, SOON, 'a failure'), 'when a worker is to go: it cannot be signalled');
    ok($s->wait_ticks(5), 'which goes on');
    is(scalar(() = $s->log_text =~ /AMGR0002: Killing native worker $pid /g), 1,
       'and is not tried at each tick');
    ok(limit($ticker, $soft), 'the ticker has descriptors again');
    ok(wait_until(sub {
        $s->log_text =~ /AMGR0001: Killing native worker $pid /
    }, SOON, "$pid is retired"), 'the worker is retired after all');
    ok(wait_until(sub { !AMGR::Httpd::is_alive($pid) }, SOON, 'its end'),
       'and goes');
    $s->stop_ok;
    return;
}

sub daemon {
    my $s = AMGR::Httpd->new(mpm => 'event', modules => ['wsgi'],
                             interval => '200ms');
    $s->set_config(<<'END');
WSGIDaemonProcess shop processes=1 threads=2 home=/ display-name=%{GROUP}
ManagerMinAge 1s
ManagerGracePeriod 1h
<ManagerGroup shop>
    ManagerMaxLifetime 2s 0%
</ManagerGroup>
END
    $s->expect_log(qr/\(24\)Too many open files: /);
    $s->start;
    my $pid;
    ok(wait_until(sub {
        ($pid) = map { $_->{pid} } grep { $_->{group} eq 'shop' }
            @{ $s->json->{processes} };
        return $pid;
    }, SOON, 'it'), 'a daemon');
    kill 'STOP', $pid; # it does not hear that it is to go
    ok(wait_until(sub {
        $s->log_text =~ /AMGR0001: Killing WSGI worker $pid /
    }, SOON, "$pid is retired"), 'is to go');
    my $ticker = $s->ticker_pid;
    my $soft = soft($ticker);
    ok(exhaust($ticker), 'the ticker has no descriptor left');
    ok($s->wait_ticks(4), 'and ticks');
    my ($shown) = grep { $_->{pid} == $pid } @{ $s->json->{processes} };
    is($shown && $shown->{group}, 'shop', 'the daemon is shown');
    ok(limit($ticker, $soft), 'the ticker has descriptors again');
    ok($s->wait_ticks(4), 'and ticks');
    ($shown) = grep { $_->{pid} == $pid } @{ $s->json->{processes} };
    is($shown && $shown->{state}, 'retiring', 'the daemon is still to go');
    unlike($s->log_text, qr/AMGR0017: /, 'and was never taken for gone');
    is(scalar(() = $s->log_text =~ /Killing WSGI worker $pid /g), 1,
       'its retirement was begun once');
    kill 'CONT', $pid;
    ok(wait_until(sub { $s->log_text =~ /AMGR0017: WSGI worker $pid / },
                  SOON, 'its end'), 'it is told when it has gone');
    $s->stop_ok;
    return;
}

worker();
daemon();
done_testing();
