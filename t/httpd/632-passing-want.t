#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# What a ticker cannot do or see for want of memory or descriptors is not decided
# for good: a daemon that could not be signalled then is retired when it can be,
# and one that could not be looked at then has not gone.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use AMGR::Inject;
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

use constant CONFIG => <<'END';
WSGIDaemonProcess shop processes=1 threads=2 home=/ display-name=%{GROUP}
ManagerMinAge 1s
ManagerGracePeriod 1h
<ManagerGroup shop>
    ManagerMaxLifetime 2s 0%
</ManagerGroup>
END

sub unsignalled {
    my $s = AMGR::Httpd->new(mpm => 'event', modules => ['wsgi'],
                             interval => '200ms');
    my $inject = AMGR::Inject->new($s->path('work/inject'),
                                   'mod_apache_manager.so');
    $s->{env} = $inject->env;
    $s->set_config(CONFIG);
    $s->expect_log(qr/AMGR0002: Killing WSGI worker /);
    $s->start;
    $inject->arm(call => 'pidfd_send_signal', roles => ['ticker'],
                 how => 'ENOMEM', run => 0);
    my $pid;
    ok(wait_until(sub {
        ($pid) = $s->log_text =~ /AMGR0002: Killing WSGI worker (\d+) /;
        return $pid;
    }, SOON, 'a failure'), 'a daemon that is to go cannot be signalled');
    ok($s->wait_ticks(5), 'the ticker goes on');
    is(scalar(() = $s->log_text =~ /AMGR0002: /g), 1,
       'and does not try at each tick');
    cmp_ok($inject->disarm, '>', 0, 'then it could be');
    ok(wait_until(sub {
        $s->log_text =~ /AMGR0001: Killing WSGI worker $pid /
    }, SOON, "$pid is retired"), 'the daemon is retired after all');
    ok(wait_until(sub { !AMGR::Httpd::is_alive($pid) }, SOON, 'its end'),
       'and goes');
    $s->stop_ok;
    return;
}

sub daemon {
    my $s = AMGR::Httpd->new(mpm => 'event', modules => ['wsgi'],
                             interval => '200ms');
    $s->set_config(CONFIG);
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

unsignalled();
daemon();
done_testing();
