# SPDX-License-Identifier: Apache-2.0
#
# Private servers of a size, with mod_status beside the module, all of whose
# slots have served a request.  A case is what is known of one: mpm, slots,
# what to call it, its server, its workers, the share of slots used.
package Bench::Server;

use strict;
use warnings;

use AMGR::Httpd qw(wait_until);
use Bench::Client qw(fetch touch_slots used_slots);
use Bench::Cpu qw(workers);
use POSIX ();
use Time::HiRes qw(time);

use Exporter qw(import);
our @EXPORT_OK = qw(prefork threaded start fill finish);

use constant {
    STATUS      => '/server-status',
    MANAGER     => '/manager-status',
    READY_SEC   => 90,
    TICK_SEC    => 45,
    # Slots are given a request until so many have one, or time is up, for each
    # connection wakes every process of event.
    USED_SHARE  => 0.95,
    TOUCH_SEC   => 30,
    TOUCH_MOST  => 3000,    # at once, where not all slots have to be used
    SPARE_FILES => 64,
};

sub prefork {
    my ($processes, %more) = @_;
    return { mpm => 'prefork', slots => $processes, processes => $processes,
             what => "$processes processes", %more };
}

sub threaded {
    my ($mpm, $processes, $threads, %more) = @_;
    my $slots = $processes * $threads;
    return { mpm => $mpm, slots => $slots, processes => $processes,
             threads => $threads, what => "$slots slots", %more };
}

# All of its workers from the beginning to the end.
sub sizes {
    my ($case) = @_;
    my $slots = $case->{slots};
    return <<"END" if $case->{mpm} eq 'prefork';
StartServers $slots
ServerLimit $slots
MaxRequestWorkers $slots
MinSpareServers 1
MaxSpareServers $slots
END
    return <<"END";
StartServers $case->{processes}
ServerLimit $case->{processes}
ThreadLimit $case->{threads}
ThreadsPerChild $case->{threads}
MaxRequestWorkers $slots
MinSpareThreads 1
MaxSpareThreads $slots
ThreadStackSize 262144
END
}

# interval and config of the case are added; manager => 0 leaves the module out.
sub start {
    my ($case) = @_;
    my $manager = $case->{manager} // 1;
    $case->{server} = AMGR::Httpd->new(
        mpm => $case->{mpm}, mpm_config => sizes($case),
        modules => ['status'], manager => $manager,
        location => $manager,
        interval => $manager ? $case->{interval} : undef,
        log_level => 'notice', config => <<"END");
ListenBacklog 4096
ExtendedStatus On
MaxKeepAliveRequests 0
KeepAliveTimeout 30
Timeout 120
<Location "@{[STATUS]}">
    SetHandler server-status
    Require local
</Location>
@{[$case->{config} // '']}
END
    $case->{server}->start;
    return $case;
}

# All workers there, and slots with a request to show: as many as there are
# with needs_all, else what one try gives.
sub fill {
    my ($case) = @_;
    my $port = $case->{server}->port;
    my $at_once = POSIX::sysconf(POSIX::_SC_OPEN_MAX()) - SPARE_FILES;
    $at_once = TOUCH_MOST if !$case->{needs_all} && $at_once > TOUCH_MOST;
    $at_once = $case->{slots} if $at_once > $case->{slots};
    wait_until(sub {
        fetch($port, STATUS . '?auto') =~ /^IdleWorkers: (\d+)/m
            && $1 >= $case->{slots} - 1;
    }, READY_SEC, "$case->{what}: idle workers")
        or die "$case->{what}: they did not start\n";
    my $deadline = time + TOUCH_SEC;
    do {
        touch_slots($port, '/index.html', $at_once, $deadline);
        $case->{used} = used_slots(fetch($port, STATUS)) / $case->{slots};
    } while $case->{needs_all} && $case->{used} < USED_SHARE
        && time < $deadline;
    $case->{workers} = [workers($case->{server})];
    return $case;
}

# Of a process that no tick has seen yet, a page asks the kernel.
sub wait_seen {
    my ($case) = @_;
    $case->{server}->wait_ticks(2, TICK_SEC)
        or die "$case->{what}: no ticks\n";
    return;
}

sub finish {
    my @cases = @_;
    for my $case (@cases) {
        my @wrong = $case->{server}->stop;
        die "$case->{what}: @wrong\n" if @wrong;
    }
    return;
}

1;
