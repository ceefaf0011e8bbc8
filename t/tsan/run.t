#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# For `make test-tsan`: all that threads of one child do in this module at a
# time, under load.  Whatever ThreadSanitizer has to say is in the error log,
# where it fails the test.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use AMGR::Load;
use AMGR::Managed;
use Apache::Test qw(-withtestmore);
use Time::HiRes qw(time);

use constant {
    SOON => 60,
    ROUNDS => 12,       # orders under load
    ANSWERS => 200,     # between two of them
};

# One child, so that its threads meet.
my $one_child = <<'END';
StartServers 1
ServerLimit 4
ThreadsPerChild 16
ThreadLimit 16
MinSpareThreads 1
MaxSpareThreads 64
MaxRequestWorkers 64
END

sub new_server {
    my ($name, @more) = @_;
    return AMGR::Httpd->new(mpm => 'event', mpm_config => $one_child,
                            name => $name, @more);
}

# What finds nothing has to be able to.
sub control {
    my $s = new_server('control');
    my $module = $s->build_object('mod_race', '-fsanitize=thread');
    $s->{config} = "LoadModule race_module $module\n"
        . "<Location /race>\nSetHandler race\n</Location>\n";
    $s->expect_log(qr/ThreadSanitizer: (?:data race|reported)/);
    $s->start;
    my $load = AMGR::Load->start(port => $s->port, keep => 12,
                                 mix => ['1:/race']);
    ok(wait_until(sub {
        $s->log_text =~ /ThreadSanitizer: data race.*count_request/s;
    }, SOON, 'a report'), 'control: a race is reported');
    $load->stop;
    $s->stop_ok;
    return;
}

# A balancer of this server's own, one of whose members is gated.
sub server {
    my $s = new_server('threads', interval => '100ms',
        modules => [qw(alias status proxy proxy_http proxy_balancer slotmem_shm
                       lbmethod_byrequests)]);
    my $hold = $s->build_object('mod_hold');
    my ($one, $two) = map { AMGR::Httpd::free_port() } 1, 2;
    # A connection to a member may end with the child that serves it.
    $s->expect_log(qr/AH01102: error reading status line from remote/,
                   qr/AH00898: Error reading from remote server/);
    AMGR::Managed::prepare($s);
    $s->{config} = <<"END" . AMGR::Managed::section($s, 'web', <<"WEB");
LoadModule hold_module $hold
Listen 127.0.0.1:$one
Listen 127.0.0.1:$two
ExtendedStatus On
ManagerMinAge 100ms
ManagerMaxTime 10s
<Location "/manager-status">
    ManagerControl On
</Location>
<Location "/server-status">
    SetHandler server-status
</Location>
<Location "/hold">
    SetHandler hold
    ManagerMaxTime 1s
</Location>
<Location "/index.html">
    ManagerMaxTime 3s
</Location>
<Location "/gated">
    ManagerGate web
</Location>
Alias /gated $s->{root}/htdocs
<Proxy balancer://shop>
    BalancerMember http://127.0.0.1:$one retry=0
    BalancerMember http://127.0.0.1:$two retry=0
</Proxy>
ProxyPass /shop/ balancer://shop/
END
    Gate balancer://shop http://127.0.0.1:$one
    RestartDelay 100ms
WEB
    return $s->start;
}

sub order {
    my ($s, $verb) = @_;
    my $token = $s->json('/manager-status/processes')->{token};
    my $answer = $s->request(POST => "/manager-status/processes/web/$verb",
                             'X-Manager-Token' => $token);
    return $answer->code;
}

# Orders while everything is asked for.
sub serves {
    my ($s) = @_;
    my $load = AMGR::Load->start(port => $s->port, keep => 12, fresh => 4,
        mix => ['3:/manager-status', '3:/manager-status/status.json',
                '2:/manager-status/metrics', '1:/manager-status?auto',
                '1:/manager-status/processes', '1:/server-status',
                '2:/index.html', '2:/gated/index.html',
                '2:/shop/index.html']);
    my @codes;
    for my $round (1 .. ROUNDS) {
        my $before = $load->progress;
        push @codes, order($s, $round % 2 ? 'restart' : 'stop');
        push @codes, order($s, 'start') if $round % 2 == 0;
        $load->wait_for($before->{requests} + ANSWERS, SOON);
    }
    is(scalar(grep { $_ != 202 && $_ != 200 } @codes), 0, 'orders are obeyed')
        or diag("@codes");
    return $load;
}

# Requests that hang are ended, and so is each of their processes.
sub retires {
    my ($s) = @_;
    my @requests = map { $s->start_request('/hold?secs=600') } 1 .. 3;
    ok(wait_until(sub {
        grep { $_->{outcome} ne 'pending' } @{ $s->json->{kills} };
    }, SOON, 'a worker is retired'), 'a worker that hangs ends');
    return;
}

control();
my $s = server();
ok(AMGR::Managed::wait_for($s, 'web', 'READY'), 'its process is ready');
my $load = serves($s);
retires($s);
ok($s->graceful, 'a graceful restart');
ok($load->wait_for($load->progress->{requests} + ANSWERS, SOON), 'it serves');
$load->stop; # what was answered is for other tests
$s->stop_ok;
done_testing();
