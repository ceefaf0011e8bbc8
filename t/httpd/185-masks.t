#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# What must not be seen of clients and requests is seen nowhere: a worker that
# waits for its client is retired, and everything the module says of that is
# searched for the client's address and for what it asked.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Case::Command;
use AMGR::Httpd qw(wait_until);
use AMGR::Schema qw(schema_errors);
use Apache::Test qw(-withtestmore);
use IO::Socket::INET;

# All of 127.0.0.0/8 is this machine, so a client may have an address that
# nobody else has.
use constant CLIENT => '127.9.8.7';

# Waits in the socket of its own client, as a module that reads by itself does.
my $application = <<'PYTHON';
import os
import socket


def client(port):
    for name in os.listdir("/proc/self/fd"):
        try:
            link = socket.fromfd(int(name), socket.AF_INET, socket.SOCK_STREAM)
            if link.getpeername()[1] == port:
                return link
        except OSError:
            continue


def application(environ, start_response):
    link = client(int(environ["REMOTE_PORT"]))
    link.settimeout(None)
    link.recv(1)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"late\n"]
PYTHON

# By name: the two directives, the client and the peer as they are shown, and
# what is left of the request.
my %case = (
    full    => ['Full', 'Full', CLIENT, qr/127\.9\.8\.7:\d+/,
                'GET /wait?secret=1 HTTP/1.1'],
    network => ['Network', 'Path', '127.9.8.0/24', qr/127\.9\.8\.0\/24/,
                'GET /wait HTTP/1.1'],
    off     => ['Off', 'Off', undef, qr/a client/, undef],
);

my %server;
for my $name (sort keys %case) {
    my ($clients, $requests) = @{ $case{$name} };
    my $s = AMGR::Httpd->new(mpm => 'prefork', name => "masks-$name",
                             interval => '250ms', modules => ['wsgi']);
    my $script = $s->write('work/wait.wsgi', $application);
    my $program = AMGR::Case::Command::reporter($s);
    $s->{config} = <<"END";
ManagerMinAge 1s
ManagerMaxTime 6s
ManagerShowClients $clients
ManagerShowRequests $requests
ManagerKillCommand before $program
ManagerKillCommand after $program
WSGIScriptAlias /wait $script
END
    $s->expect_log(qr/\[wsgi:(?:error|warn)\]/);
    $server{$name} = $s->start;
}

my %socket = map {
    my $socket = IO::Socket::INET->new(LocalAddr => CLIENT,
        PeerAddr => '127.0.0.1', PeerPort => $server{$_}->port)
        or die "from @{[CLIENT]}: $@\n";
    print {$socket} "GET /wait?secret=1 HTTP/1.1\r\nHost: a\r\n\r\n";
    ($_ => $socket);
} sort keys %server;

# In their slots, before the first of them is retired.
for my $name (sort keys %case) {
    my ($client, $request) = @{ $case{$name} }[2, 4];
    my $running;
    wait_until(sub {
        ($running) = grep { ($_->{request_age_seconds} // 0) > 0.2 }
            map { @{ $_->{slots} } } @{ $server{$name}->json->{processes} };
    }, 30, "$name: the request in its slot");
    is($running->{client}, $client, "$name: the client of a slot");
    is($running->{request}, $request, "$name: and its request");
}
for my $name (sort keys %case) {
    retired($name, $server{$name}, @{ $case{$name} }[2 .. 4]);
    close $socket{$name};
    $server{$name}->stop_ok;
}
tail();
done_testing();

sub retired {
    my ($name, $s, $client, $peer, $request) = @_;
    my $kill;
    wait_until(sub {
        ($kill) = @{ $s->json->{kills} };
        $kill && $kill->{outcome} ne 'pending';
    }, 30, "$name: the retirement") or return fail("$name: no retirement");

    my ($in_flight) = @{ $kill->{evidence}{requests} };
    is($in_flight->{client}, $client, "$name: the client in evidence");
    is($in_flight->{request}, $request, "$name: and its request");
    is($kill->{request}, $request, "$name: the request on record");
    my ($at) = grep { /^tcp / } map { $_->{target} // '' }
        @{ $kill->{evidence}{blocked} };
    my $port = $s->port;
    like($at // '', qr/^tcp 127\.0\.0\.1:$port to $peer$/,
         "$name: who the thread waited for");

    my $text = $s->get('/manager-status/status.json')->content;
    is_deeply([schema_errors($text)], [], "$name: status.json obeys its schema");
    my $page = $s->get('/manager-status')->content;
    my @lost = $s->log_lines(qr/AMGR0024: lost request/);
    is(scalar @lost, 1, "$name: the lost request");
    my $shown = $client // '-';
    like($lost[0] // '', qr/ 127\.0\.0\.1:$port \Q$shown\E - - \[/,
         "$name: with its client");
    my $log = join "\n", $s->log_lines(qr/apache_manager/);
    my $environ = join "\n", map {
        my $env = AMGR::Case::Command::report($s, $_, $kill->{pid})->{environ};
        map { "$_=$env->{$_}" } sort keys %$env;
    } qw(before after);
    my %said = (page => $page, 'status.json' => $text, log => $log,
                environment => $environ);
    for my $where (sort keys %said) {
        my $address = () = $said{$where} =~ /\Q@{[CLIENT]}\E/g;
        my $sees = $name eq 'full' && $where ne 'environment';
        ok($sees ? $address : !$address, "$name: the address in the $where");
        is(scalar($said{$where} =~ /secret/), $name eq 'full' ? 1 : '',
           "$name: the query string in the $where");
        is(scalar($said{$where} =~ m{GET /wait}), $request ? 1 : '',
           "$name: the request line in the $where");
    }
    return;
}

# The end of a long line may be the middle of its query string.
sub tail {
    # As many workers that none of these requests takes another's place.
    my $s = AMGR::Httpd->new(mpm => 'prefork', name => 'tail',
        modules => ['status'], mpm_config => <<'SIZES', config => <<'END');
StartServers 12
MinSpareServers 12
MaxSpareServers 16
ServerLimit 20
MaxRequestWorkers 20
SIZES
SeeRequestTail On
<Location "/server-status">
    SetHandler server-status
    Require local
</Location>
END
    $s->start;
    my $long = '/?' . 'x' x 60 . 'secret=1';
    # Whole in 63 bytes, and so told from one without its beginning.
    my $short = '/short?secret=2';
    my $text = '';
    ok(wait_until(sub {
        $s->get($long);
        $s->get($short);
        my $theirs = sub { $s->get('/server-status')->content =~ /secret=1/ };
        return unless $theirs->();
        $text .= $s->get($_)->content
            for qw(/manager-status /manager-status/status.json);
        return $theirs->() && $text =~ m{GET /short HTTP};
    }, 30, 'the end of a line in the scoreboard'),
       'the scoreboard has the end of a query string');
    unlike($text, qr/secret/, 'which is not shown');
    unlike($text, qr/xxx/, 'nor is another part of it');
    $s->stop_ok;
    return;
}
