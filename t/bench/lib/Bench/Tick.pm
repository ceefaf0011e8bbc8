# SPDX-License-Identifier: Apache-2.0
#
# CPU time of a tick, in the parent and in the ticker, at two sizes, and of a
# page of ours, each beside one page of mod_status of the same server.
#
# A tick's time is what the module says of itself (its own CPU clock), taken
# at every tick that is seen to have happened; a page's is that of all workers
# between question and answer.  The two are asked for in turns.
package Bench::Tick;

use strict;
use warnings;

use AMGR::Httpd qw(wait_until);
use Bench::Client qw(fetch touch_slots used_slots);
use Bench::Cpu qw(workers cpu_during);
use Bench::Report qw(median spread);
use POSIX ();
use Time::HiRes qw(sleep time);

use constant {
    STATUS      => '/server-status',
    MANAGER     => '/manager-status',
    READY_SEC   => 60,
    HOOK_TICKS  => 4,       # every ten seconds; the first is the start
    TICKER_TICKS => 40,
    TICKS_SEC   => 60,      # for all of them
    PAUSE_SEC   => 0.05,
    # Slots are given a request until so many have one, or tries are up.
    USED_SHARE  => 0.95,
    TOUCH_TRIES => 6,
    TOUCH_MOST  => 3000,    # at once
    SPARE_FILES => 64,
};

my %size = (
    400 => {
        mpm => 'prefork', slots => 400, reach_ms => 4,
        what => '400 processes',
        mpm_config => <<'END',
StartServers 400
ServerLimit 400
MaxRequestWorkers 400
MinSpareServers 5
MaxSpareServers 400
END
    },
    20_000 => {
        mpm => 'event', slots => 20_000, reach_ms => 10,
        what => '20000 slots',
        mpm_config => <<'END',
ServerLimit 100
ThreadLimit 200
ThreadsPerChild 200
StartServers 100
MaxRequestWorkers 20000
MinSpareThreads 200
MaxSpareThreads 20000
ThreadStackSize 262144
END
    },
);

# Together: the hook's ticks are long to wait for.
sub hook_and_small_ticker {
    my ($report) = @_;
    run($report, case(400), case(400, '500ms'), case(20_000));
    return;
}

# Alone: two servers of so many threads would need more pids than there are.
sub large_ticker {
    my ($report) = @_;
    run($report, case(20_000, '500ms'));
    return;
}

sub case {
    my ($size, $interval) = @_;
    return {
        %{ $size{$size} },
        where => $interval ? 'the ticker' : 'the parent',
        want  => $interval ? TICKER_TICKS : HOOK_TICKS,
        interval => $interval,
        seen => '', ticks => [], status => [], page => [],
    };
}

sub run {
    my ($report, @cases) = @_;
    $_->{server} = start($_) for @cases;
    fill($_) for @cases;
    my $deadline = time + TICKS_SEC;
    while (grep { !is_done($_) } @cases) {
        die "too few ticks within @{[TICKS_SEC]} s\n" if time > $deadline;
        for my $case (@cases) {
            note_tick($case);
            time_pages($case);
        }
        sleep PAUSE_SEC;
    }
    add_rows($report, $_) for @cases;
    for my $case (@cases) {
        my @wrong = $case->{server}->stop;
        die "$case->{what}: @wrong\n" if @wrong;
    }
    return;
}

sub is_done {
    my ($case) = @_;
    return defined $case->{first}
        && $case->{last}{ticks} - $case->{first}{ticks} >= $case->{want} - 1;
}

sub start {
    my ($case) = @_;
    return AMGR::Httpd->new(
        mpm => $case->{mpm}, mpm_config => $case->{mpm_config},
        modules => ['status'], interval => $case->{interval},
        log_level => 'notice',
        config => <<"END")->start;
ListenBacklog 4096
ExtendedStatus On
<Location "@{[STATUS]}">
    SetHandler server-status
    Require local
</Location>
END
}

# All workers there, and most slots with a request to show.
sub fill {
    my ($case) = @_;
    my $port = $case->{server}->port;
    my $at_once = POSIX::sysconf(POSIX::_SC_OPEN_MAX()) - SPARE_FILES;
    $at_once = TOUCH_MOST if $at_once > TOUCH_MOST;
    $at_once = $case->{slots} if $at_once > $case->{slots};
    wait_until(sub {
        fetch($port, STATUS . '?auto') =~ /^IdleWorkers: (\d+)/m
            && $1 >= $case->{slots} - 1;
    }, READY_SEC, "$case->{what}: idle workers")
        or die "$case->{what}: they did not start\n";
    for (1 .. TOUCH_TRIES) {
        touch_slots($port, '/index.html', $at_once);
        $case->{used} = used_slots(fetch($port, STATUS)) / $case->{slots};
        last if $case->{used} >= USED_SHARE;
    }
    $case->{workers} = [workers($case->{server})];
    return;
}

# A new data file means a new tick; several may have gone by.
sub note_tick {
    my ($case) = @_;
    my $seen = AMGR::Httpd::file_id($case->{server}->data_file);
    return if $seen eq $case->{seen};
    $case->{seen} = $seen;
    my %now = counters($case->{server}->port);
    my $last = $case->{last};
    if ($last && $now{ticks} > $last->{ticks}) {
        push @{ $case->{ticks} }, ($now{cpu_ms} - $last->{cpu_ms})
            / ($now{ticks} - $last->{ticks});
    }
    $case->{first} //= \%now;
    $case->{last} = \%now;
    return;
}

# By pattern: decoding megabytes would take the time of many ticks.
sub counters {
    my ($port) = @_;
    my $json = fetch($port, MANAGER . '/status.json');
    my ($ticks) = $json =~ /"ticks":\s*(\d+)/;
    my ($cpu) = $json =~ /"tick_cpu_seconds":\s*([\d.]+)/;
    defined $ticks && defined $cpu or die "status.json tells no ticks\n";
    return (ticks => $ticks, cpu_ms => $cpu * 1000);
}

sub time_pages {
    my ($case) = @_;
    my $port = $case->{server}->port;
    my $workers = $case->{workers};
    push @{ $case->{status} },
        1000 * cpu_during($workers, sub { fetch($port, STATUS) });
    push @{ $case->{page} },
        1000 * cpu_during($workers, sub { fetch($port, MANAGER) });
    return;
}

# The first reads what later ones know; seen only where ticks are far apart.
sub first_tick {
    my ($case) = @_;
    return '' unless $case->{first}{ticks} == 1;
    return '; the first ' . Bench::Report::number($case->{first}{cpu_ms});
}

sub add_rows {
    my ($report, $case) = @_;
    my $tick = median(@{ $case->{ticks} });
    my $status = median(@{ $case->{status} });
    my $page = median(@{ $case->{page} });
    $report->row("CPU time of a tick in $case->{where}, $case->{what}",
                 $tick, ' ms', $case->{reach_ms},
                 spread(@{ $case->{ticks} }) . first_tick($case));
    $report->ratio("  against a page of mod_status", $tick / $status,
        sprintf('%s ms: %s; %.0f%% of slots used',
                Bench::Report::number($status), spread(@{ $case->{status} }),
                100 * $case->{used}));
    $report->ratio("  our page against that of mod_status", $page / $status,
        sprintf('%s ms: %s', Bench::Report::number($page),
                spread(@{ $case->{page} })));
    return;
}

1;
