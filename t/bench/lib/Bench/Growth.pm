# SPDX-License-Identifier: Apache-2.0
#
# How a tick grows with the processes and with the slots: the CPU time of the
# ticker between two ticks by its own clock, on servers of several sizes that
# tick beside each other; its system calls, counted in ticks of their own; and
# the size of the board.
package Bench::Growth;

use strict;
use warnings;

use AMGR::Board;
use Bench::Cpu qw(cpu_of);
use Bench::Fit qw(linear power);
use Bench::Report qw(median number);
use Bench::Server ();
use Bench::Trace ();
use List::Util qw(max);
use Time::HiRes qw(sleep time);

use constant {
    TICKS        => 24,
    TRACED_TICKS => 8,
    TICKS_SEC    => 60,
    POLL_SEC     => 0.02,
    INTERVAL     => '250ms',
    PROCESSES    => 20,     # of event
    MB           => 1e6,
};

sub measure {
    my ($report) = @_;
    my @processes = series($report, 'processes', 'us', map {
        Bench::Server::prefork($_, size => $_, interval => INTERVAL)
    } 25, 50, 100, 200, 400);
    my @slots = series($report, 'slots', 'ns', map {
        Bench::Server::threaded('event', PROCESSES, $_ / PROCESSES,
                                size => $_, interval => INTERVAL)
    } 200, 1_000, 4_000, 20_000);
    board($report, \@processes, \@slots);
    return;
}

sub series {
    my ($report, $by, $unit, @cases) = @_;
    Bench::Server::start($_) for @cases;
    Bench::Server::fill($_) for @cases;
    for my $case (@cases) {
        Bench::Server::wait_seen($case);
        $case->{ticker} = $case->{server}->ticker_pid
            // die "$case->{what}: no ticker\n";
        $case->{board} = -s $case->{server}->board_file;
    }
    watch(@cases);
    $_->{calls} = calls($_) for @cases;
    Bench::Server::finish(@cases);

    my @cpu = map { [$_->{size}, median(@{ $_->{us} })] } @cases;
    my ($base, $each) = linear(@cpu);
    $each *= 1000 if $unit eq 'ns';
    my ($exponent, $off) = power(@cpu);
    $report->add("cpu-$by", figures => [$base, $each, $exponent],
                 note => note($off, @cpu));
    my @calls = map { [$_->{size}, $_->{calls}] } @cases;
    ($base, $each) = linear(@calls);
    if ($by eq 'slots') { # of which they know nothing
        $report->add("calls-$by", figures => [$base, $each],
                     note => values_of(@calls));
        return @cases;
    }
    ($exponent, $off) = power(@calls);
    $report->add("calls-$by", figures => [$base, $each, $exponent],
                 note => note($off, @calls));
    return @cases;
}

sub values_of { return join ', ', map { number($_->[1]) } @_ }

sub note {
    my ($off, @points) = @_;
    return sprintf 'exponent ±%s with a confidence of 95 %%; %s', number($off),
        values_of(@points);
}

# CPU time of each tick of each of them, in microseconds.
sub watch {
    my @cases = @_;
    my $deadline = time + TICKS_SEC;
    while (grep { @{ $_->{us} // [] } < TICKS } @cases) {
        die "too few ticks within @{[TICKS_SEC]} s\n" if time > $deadline;
        note_ticks($_) for @cases;
        sleep POLL_SEC;
    }
    return;
}

sub note_ticks {
    my ($case) = @_;
    my $ticks = AMGR::Board->ticks($case->{server}->board_file) // return;
    my $last = $case->{last};
    return if $last && $ticks == $last->[0];
    my $cpu = cpu_of($case->{ticker});
    push @{ $case->{us} }, 1e6 * ($cpu - $last->[1]) / ($ticks - $last->[0])
        if $last;
    $case->{last} = [$ticks, $cpu];
    return;
}

# The most system calls between two of the ticker's waits: a busy machine lets
# ticks end before they have read all.
sub calls {
    my ($case) = @_;
    my @ticks = (0);
    for (Bench::Trace::calls($case->{ticker}, sub {
             $case->{server}->wait_ticks(TRACED_TICKS, TICKS_SEC)
                 or die "$case->{what}: no ticks under strace\n";
         })) {
        $ticks[-1]++;
        push @ticks, 0 if $_->{name} eq 'rt_sigtimedwait';
    }
    # The first and the last are parts of one.
    return max(@ticks[1 .. $#ticks - 1]);
}

# With prefork a slot is a process.
sub board {
    my ($report, $processes, $slots) = @_;
    my (undef, $slot) = linear(map { [$_->{size}, $_->{board}] } @$slots);
    my (undef, $both) = linear(map { [$_->{size}, $_->{board}] } @$processes);
    $report->add('board',
                 figures => [$slot, $both - $slot, $slots->[-1]{board} / MB],
                 note => 'the same in every run');
    return;
}

1;
