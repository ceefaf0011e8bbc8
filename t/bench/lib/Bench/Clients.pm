# SPDX-License-Identifier: Apache-2.0
#
# What programs read, against what they read of mod_status: CPU time of one
# answer over a connection that stays open, in turns on the same servers, all
# of whose slots have served a request; and by how much one answer makes the
# process grow that gives it, with few slots and with many.
package Bench::Clients;

use strict;
use warnings;

use Bench::Client qw(fetch);
use Bench::Cpu qw(cpu_during);
use Bench::Memory ();
use Bench::Page ();
use Bench::Report qw(median spread);
use Bench::Tick ();
use List::Util qw(max);

use constant {
    HTML      => '/server-status',
    AUTO      => '/server-status?auto',
    BASE      => '/manager-status',
    ROUNDS    => 11,
    AT_A_TIME => 50,
    PROCESSES => 64,
    ANSWERS   => 9,
    REACH_KIB => 16,
};

# Each against one of mod_status's; the reach holds where it is given.
my @rows = (
    { name => '?auto', path => BASE . '?auto', other => AUTO,
      reach => { prefork => 1, event => 1 } },
    { name => '/metrics', path => BASE . '/metrics', other => HTML,
      reach => { event => 0.1 } },
    { name => 'status.json', path => BASE . '/status.json', other => HTML,
      reach => { prefork => 1, event => 1 } },
);

sub measure {
    my ($report) = @_;
    compare($report, $_) for Bench::Page::sizes();
    for my $row (@rows) {
        my ($less, $more) = map { grown($_, $row->{path}) } 2, 25;
        $report->row("memory taken for $row->{name}, "
                     . PROCESSES * 2 . ' event slots', $less, ' KiB', undef,
                     'n=' . ANSWERS);
        $report->row('  more of it with ' . PROCESSES * 25, $more - $less,
                     ' KiB', REACH_KIB, sprintf '%.0f KiB', $more);
    }
    return;
}

sub compare {
    my ($report, $case) = @_;
    $case->{server} = Bench::Tick::start($case);
    Bench::Tick::fill($case);
    Bench::Page::wait_seen($case);
    my %us = map { $_ => [] } HTML, AUTO, map { $_->{path} } @rows;
    my %bytes;
    for my $round (0 .. ROUNDS) {
        my @paths = sort keys %us;
        # Each has its turn at every place.
        push @paths, splice @paths, 0, $round % @paths;
        for my $path (@paths) {
            my $cpu = cpu_during($case->{workers}, sub {
                $bytes{$path} = Bench::Client::keep_reading(
                    $case->{server}->port, $path, AT_A_TIME);
            });
            # The first warms up.
            push @{ $us{$path} }, 1e6 * $cpu / AT_A_TIME if $round;
        }
    }
    my @wrong = $case->{server}->stop;
    die "$case->{what}: @wrong\n" if @wrong;
    add_rows($report, $case, \%us, \%bytes);
    return;
}

sub add_rows {
    my ($report, $case, $us, $bytes) = @_;
    for my $row (@rows) {
        my ($ours, $theirs) = map { $us->{$_} } @$row{qw(path other)};
        my @ratios = map { $ours->[$_] / $theirs->[$_] } 0 .. ROUNDS - 1;
        $report->row("CPU time of $row->{name}, $case->{what}",
            median(@ratios), ' x', $row->{reach}{ $case->{mpm} },
            spread(@ratios) . sprintf '; %s us, mod_status%s %s us; %d bytes',
            Bench::Report::number(median(@$ours)),
            $row->{other} eq AUTO ? '?auto' : '',
            Bench::Report::number(median(@$theirs)), $bytes->{ $row->{path} });
    }
    return;
}

# What is taken for a request stays with the process: the most that any has
# more after an answer than before, which is that of its first answer; and of a
# server for each path, so that none has answered for another one.
sub grown {
    my ($threads, $path) = @_;
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
END
    };
    $case->{server} = Bench::Tick::start($case);
    Bench::Tick::fill($case);
    my $kib = max(map { grown_kib($case, $path) } 1 .. ANSWERS);
    my @wrong = $case->{server}->stop;
    die "$case->{what}: @wrong\n" if @wrong;
    return $kib;
}

sub grown_kib {
    my ($case, $path) = @_;
    my %before = map { $_ => Bench::Memory::private_kib($_) }
        @{ $case->{workers} };
    fetch($case->{server}->port, $path);
    my ($most) = sort { $b <=> $a }
        map { Bench::Memory::private_kib($_) - $before{$_} } keys %before;
    return $most;
}

1;
