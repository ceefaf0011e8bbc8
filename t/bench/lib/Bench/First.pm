# SPDX-License-Identifier: Apache-2.0
#
# Memory for answers: by how much the first makes the process grow that gives
# it, and what it has more for itself while one is being written; with few
# slots and with many.
package Bench::First;

use strict;
use warnings;

use AMGR::Httpd qw(wait_until);
use Bench::Client qw(fetch);
use Bench::Memory qw(private_kib);
use Bench::Report qw(median);
use Bench::Server ();
use IO::Socket::INET;
use List::Util qw(max);
use Socket qw(SOL_SOCKET SO_RCVBUF);

use constant {
    STATUS    => Bench::Server::STATUS,
    JSON      => Bench::Server::MANAGER . '/status.json',
    ANSWERS   => 9,
    # A rendering is held in the middle by a client that does not read.
    HOLDS     => 9,
    HELD_SEC  => 10,
    RECEIVE_BUFFER => 2048,
};

my %path = (
    auto    => Bench::Server::MANAGER . '?auto',
    metrics => Bench::Server::MANAGER . '/metrics',
    json    => JSON,
);

sub measure {
    my ($report) = @_;
    for my $name (qw(auto metrics json)) {
        my ($less, $more) = map { first_answer($_, $path{$name}) } 2, 25;
        $report->add("first-$name", figures => [$less, $more - $less],
                     note => 'the most of ' . ANSWERS);
    }
    my ($less, $more) = map { rendering($_) } 2, 200;
    $report->add('rendering', figures => [$less, $more - $less],
                 note => 'median of ' . HOLDS);
    return;
}

# KiB that any process has more after an answer than before: what is taken for
# a request stays with it.  A server for each path, so that none has answered
# for another one; as many processes either way, since each is another's first
# time, which costs most.
sub first_answer {
    my ($threads, $path) = @_;
    my $case = Bench::Server::threaded('event', 64, $threads);
    Bench::Server::fill(Bench::Server::start($case));
    my $kib = max(map {
        growth($case, sub { fetch($case->{server}->port, $path) });
    } 1 .. ANSWERS);
    Bench::Server::finish($case);
    return $kib;
}

sub rendering {
    my ($threads) = @_;
    my $case = Bench::Server::threaded('event', 100, $threads,
                                       config => "SendBufferSize 4096\n");
    Bench::Server::fill(Bench::Server::start($case));
    my @kib = map {
        my $socket;
        my $grown = growth($case, sub { $socket = hold($case) });
        1 while sysread $socket, my $rest, 262_144;
        $grown;
    } 1 .. HOLDS;
    Bench::Server::finish($case);
    return median(@kib);
}

# What the process that grew most has more for itself than before.
sub growth {
    my ($case, $sub) = @_;
    my %before = map { $_ => private_kib($_) } @{ $case->{workers} };
    $sub->();
    return max(map { private_kib($_) - $before{$_} } keys %before);
}

# A connection over which an answer does not get on.
sub hold {
    my ($case) = @_;
    my $port = $case->{server}->port;
    my $socket = IO::Socket::INET->new(Proto => 'tcp') or die "socket: $!\n";
    setsockopt $socket, SOL_SOCKET, SO_RCVBUF, pack 'i', RECEIVE_BUFFER
        or die "SO_RCVBUF: $!\n";
    $socket->connect($port, Socket::inet_aton('127.0.0.1'))
        or die "127.0.0.1:$port: $!\n";
    syswrite $socket, "GET @{[JSON]} HTTP/1.0\r\n\r\n";
    wait_until(sub { is_held($case, $socket) }, HELD_SEC, 'a held answer')
        or die "$case->{what}: the answer was not held\n";
    return $socket;
}

# The first bytes are there, and a worker is still writing.
sub is_held {
    my ($case, $socket) = @_;
    my $ready = '';
    vec($ready, fileno $socket, 1) = 1;
    return 0 unless select $ready, undef, undef, 0;
    my $text = fetch($case->{server}->port, STATUS . '?auto');
    my ($letters) = $text =~ /^Scoreboard: (\S+)/m;
    return ($letters =~ tr/W//) == 2;
}

1;
