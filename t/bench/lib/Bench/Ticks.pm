# SPDX-License-Identifier: Apache-2.0
#
# CPU time of a tick, in the parent and in the ticker, at two sizes, each beside
# one page of mod_status of the same server.
#
# A tick's time is what the module says of itself (its own CPU clock), taken
# at every tick that is seen to have happened, for the parent does other things
# too; a page's is that of all workers between question and answer.  The two
# are asked for in turns.
package Bench::Ticks;

use strict;
use warnings;

use AMGR::Board;
use Bench::Client qw(fetch);
use Bench::Cpu qw(cpu_during);
use Bench::Report qw(median);
use Bench::Server ();
use Time::HiRes qw(sleep time);

use constant {
    HOOK_TICKS   => 4,  # every ten seconds; the first is the start
    TICKER_TICKS => 40,
    TICKS_SEC    => 90, # for all of them
    PAUSE_SEC    => 0.05,
};

sub measure {
    my ($report) = @_;
    # The parent's ticks are long to wait for.
    run($report, case(400), case(400, '500ms'), case(20_000));
    # Two servers of so many threads would need more pids than there are.
    run($report, case(20_000, '500ms'));
    return;
}

sub case {
    my ($size, $interval) = @_;
    my %more = (
        key => ($interval ? 'ticker' : 'parent') . "-$size",
        want => $interval ? TICKER_TICKS : HOOK_TICKS,
        interval => $interval, seen => -1, ticks => [], status => [],
    );
    return $size == 400 ? Bench::Server::prefork($size, %more)
        : Bench::Server::threaded('event', 20, $size / 20, %more);
}

sub run {
    my ($report, @cases) = @_;
    Bench::Server::start($_) for @cases;
    Bench::Server::fill($_) for @cases;
    my $deadline = time + TICKS_SEC;
    while (grep { @{ $_->{ticks} } < $_->{want} - 1 } @cases) {
        die "too few ticks within @{[TICKS_SEC]} s\n" if time > $deadline;
        for my $case (@cases) {
            note_tick($case);
            time_page($case);
        }
        sleep PAUSE_SEC;
    }
    Bench::Server::finish(@cases);
    for my $case (@cases) {
        my ($tick, $page) = map { median(@$_) } @$case{qw(ticks status)};
        $report->add($case->{key}, base => [$page], of =>
            [$case->{ticks}, [map { $_ / $page } @{ $case->{ticks} }]]);
    }
    return;
}

# Several may have gone by.
sub note_tick {
    my ($case) = @_;
    my $seen = AMGR::Board->ticks($case->{server}->board_file) // return;
    return if $seen == $case->{seen};
    $case->{seen} = $seen;
    my %now = counters($case->{server}->port);
    my $last = $case->{last};
    if ($last && $now{ticks} > $last->{ticks}) {
        push @{ $case->{ticks} }, ($now{cpu_ms} - $last->{cpu_ms})
            / ($now{ticks} - $last->{ticks});
    }
    $case->{last} = \%now;
    return;
}

# By pattern: decoding megabytes would take the time of many ticks.
sub counters {
    my ($port) = @_;
    my $json = fetch($port, Bench::Server::MANAGER . '/status.json');
    my ($ticks) = $json =~ /"ticks":\s*(\d+)/;
    my ($cpu) = $json =~ /"tick_cpu_seconds":\s*([\d.]+)/;
    defined $ticks && defined $cpu or die "status.json tells no ticks\n";
    return (ticks => $ticks, cpu_ms => $cpu * 1000);
}

sub time_page {
    my ($case) = @_;
    push @{ $case->{status} }, 1000 * cpu_during($case->{workers}, sub {
        fetch($case->{server}->port, Bench::Server::STATUS);
    });
    return;
}

1;
