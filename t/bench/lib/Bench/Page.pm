# SPDX-License-Identifier: Apache-2.0
#
# Our page against that of mod_status, in turns on the same servers, all of
# whose slots have served a request; and what memory one rendering needs, on a
# small server and on one with a hundred times as many slots.
package Bench::Page;

use strict;
use warnings;

use AMGR::Httpd qw(wait_until);
use Bench::Client qw(fetch);
use Bench::Cpu qw(workers cpu_during);
use Bench::Memory ();
use Bench::Report qw(median spread);
use Bench::Tick ();
use IO::Socket::INET;
use Socket qw(SOL_SOCKET SO_RCVBUF);
use Time::HiRes qw(time);

use constant {
    STATUS     => '/server-status',
    MANAGER    => '/manager-status',
    ROUNDS     => 15,
    AT_A_TIME  => 40,
    # A rendering is held in the middle by a client that does not read.
    HELD       => '/manager-status/status.json',
    TICK_SEC   => 45,
    PROCESSES  => 100,
    HOLDS      => 9,
    HELD_SEC   => 10,
    REACH_KIB  => 64,
    RECEIVE_BUFFER => 2048,
};

my @speeds = (
    { mpm => 'prefork', slots => 150, what => '150 prefork processes',
      mpm_config => <<'END' },
StartServers 150
ServerLimit 150
MaxRequestWorkers 150
MinSpareServers 5
MaxSpareServers 150
END
    { mpm => 'event', slots => 1600, what => '1600 event slots',
      mpm_config => <<'END' },
ServerLimit 64
ThreadLimit 25
ThreadsPerChild 25
StartServers 64
MaxRequestWorkers 1600
MinSpareThreads 25
MaxSpareThreads 1600
END
);

# Servers of these sizes, for others to start.
sub sizes { return map { +{ %$_ } } @speeds }

sub measure {
    my ($report) = @_;
    compare($report, $_) for sizes();
    my %kib = map { $_ => rendering_kib($_) } 2, 200;
    $report->row('private memory of a rendering, 200 event slots', $kib{2},
                 ' KiB', undef, '100 processes of 2; n=' . HOLDS);
    $report->row('  more of it with 20000', $kib{200} - $kib{2}, ' KiB',
                 REACH_KIB, sprintf '100 processes of 200; %.0f KiB',
                 $kib{200});
    return;
}

sub compare {
    my ($report, $case) = @_;
    $case->{server} = Bench::Tick::start($case);
    Bench::Tick::fill($case);
    wait_seen($case);
    my @pages = ([STATUS, [], []], [MANAGER, [], []]);
    for my $round (0 .. ROUNDS) {
        # Neither is always the first of the two.
        for my $page ($round % 2 ? reverse @pages : @pages) {
            my ($cpu, $rate) = ask($case, $page->[0]);
            next unless $round; # the first warms up
            push @{ $page->[1] }, $cpu;
            push @{ $page->[2] }, $rate;
        }
    }
    my @bytes = map { length fetch($case->{server}->port, $_->[0]) } @pages;
    my @wrong = $case->{server}->stop;
    die "$case->{what}: @wrong\n" if @wrong;
    add_rows($report, $case, \@pages, @bytes);
    return;
}

# Of a process that no tick has seen yet, a page asks the kernel.
sub wait_seen {
    my ($case) = @_;
    my $port = $case->{server}->port;
    my %first = Bench::Tick::counters($port);
    wait_until(sub {
        my %now = Bench::Tick::counters($port);
        $now{ticks} > $first{ticks};
    }, TICK_SEC, "$case->{what}: a tick") or die "$case->{what}: no tick\n";
    return;
}

# CPU time of all workers for one page, in ms, and pages a second.
sub ask {
    my ($case, $path) = @_;
    my $port = $case->{server}->port;
    my $took;
    my $cpu = cpu_during($case->{workers}, sub {
        my $begun = time;
        fetch($port, $path) for 1 .. AT_A_TIME;
        $took = time - $begun;
    });
    return (1000 * $cpu / AT_A_TIME, AT_A_TIME / $took);
}

sub add_rows {
    my ($report, $case, $pages, @bytes) = @_;
    my ($status, $ours) = @$pages;
    my @what = (['CPU time of our page', 1, 'ms'],
                ['  pages a second', 2, '/s']);
    for (@what) {
        my ($name, $column, $unit) = @$_;
        my @ratios = map { $ours->[$column][$_] / $status->[$column][$_] }
            0 .. ROUNDS - 1;
        $report->ratio("$name, $case->{what}", median(@ratios),
            spread(@ratios) . sprintf '; %s, mod_status %s %s',
            (map { Bench::Report::number(median(@{ $_->[$column] })) }
             $ours, $status), $unit);
    }
    $report->ratio('  bytes', $bytes[1] / $bytes[0],
                   sprintf '%d, mod_status %d; %.0f%% of slots used',
                   @bytes[1, 0], 100 * $case->{used});
    return;
}

# What the process that serves it has more for itself while a page is being
# written, than before.  As many processes either way, since each is another's
# first time, which costs most.
sub rendering_kib {
    my ($threads) = @_;
    my $slots = PROCESSES * $threads;
    my $case = {
        mpm => 'event', slots => $slots, what => "$slots slots",
        mpm_config => <<"END",
ServerLimit @{[PROCESSES]}
ThreadLimit $threads
ThreadsPerChild $threads
StartServers @{[PROCESSES]}
MaxRequestWorkers $slots
MinSpareThreads 1
MaxSpareThreads $slots
ThreadStackSize 262144
SendBufferSize 4096
END
    };
    $case->{server} = Bench::Tick::start($case);
    Bench::Tick::fill($case);
    my @grown = map { grown_kib($case) } 1 .. HOLDS;
    my @wrong = $case->{server}->stop;
    die "$case->{what}: @wrong\n" if @wrong;
    return median(@grown);
}

sub grown_kib {
    my ($case) = @_;
    my $port = $case->{server}->port;
    my %before = map { $_ => Bench::Memory::private_kib($_) }
        @{ $case->{workers} };
    my $socket = IO::Socket::INET->new(Proto => 'tcp') or die "socket: $!\n";
    setsockopt $socket, SOL_SOCKET, SO_RCVBUF, pack 'i', RECEIVE_BUFFER
        or die "SO_RCVBUF: $!\n";
    $socket->connect($port, Socket::inet_aton('127.0.0.1'))
        or die "127.0.0.1:$port: $!\n";
    syswrite $socket, "GET @{[HELD]} HTTP/1.0\r\n\r\n";
    wait_until(sub { is_held($case, $socket) }, HELD_SEC, 'a held rendering')
        or die "$case->{what}: the rendering was not held\n";
    my ($most) = sort { $b <=> $a }
        map { Bench::Memory::private_kib($_) - $before{$_} } keys %before;
    1 while sysread $socket, my $rest, 262_144;
    return $most;
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
