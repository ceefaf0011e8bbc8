# SPDX-License-Identifier: Apache-2.0
#
# What managed processes cost that do nothing: CPU time of the supervisor and
# of the guards by their own clocks, beside that of the httpd parent in the
# same time, and what memory each has for itself.
package Bench::Managed;

use strict;
use warnings;

use AMGR::Httpd qw(wait_until);
use AMGR::Managed;
use Bench::Cpu qw(cpu_of);
use Bench::Memory qw(private_kib);
use Bench::Report qw(median);
use Time::HiRes qw(sleep time);

use constant {
    PROCESSES => 40,
    READY_SEC => 90,
    ROUNDS    => 5,
    ROUND_SEC => 4,
};

sub measure {
    my ($report) = @_;
    my $server = AMGR::Httpd->new(mpm => 'event', log_level => 'notice',
        config => join '', map { <<"END" } 1 .. PROCESSES);
<ManagedProcess p$_>
    Command /bin/sleep 10000
    PassEnv AMGR_TEST_SERVER
</ManagedProcess>
END
    $server->start;
    wait_until(sub {
        PROCESSES == grep { $_->{state} eq 'READY' }
            values %{ AMGR::Managed::all($server) };
    }, READY_SEC, 'managed processes')
        or die "they did not become ready\n";
    my $supervisor = AMGR::Managed::supervisor($server)
        or die "no supervisor\n";
    my @guards = $server->children($supervisor);
    @guards == PROCESSES or die scalar(@guards) . " guards\n";

    my %pids = (supervisor => [$supervisor], guards => \@guards,
                parent => [$server->parent_pid]);
    my %ms = rounds(\%pids);
    my %kib = map {
        $_ => median(map { private_kib($_) } @{ $pids{$_} })
    } qw(supervisor guards);
    my @wrong = $server->stop;
    die $server->name . ": @wrong\n" if @wrong;
    for my $name (qw(supervisor guards)) {
        $report->add($name, base => [median(@{ $ms{parent} })],
                     of => [$ms{$name}, [$kib{$name}]]);
    }
    return;
}

# CPU time a minute, in ms, of each.
sub rounds {
    my ($pids) = @_;
    my %ms;
    for (1 .. ROUNDS) {
        my $begun = time;
        my %before = map { $_ => cpu_of(@{ $pids->{$_} }) } keys %$pids;
        sleep ROUND_SEC;
        for my $name (keys %$pids) {
            my $cpu = cpu_of(@{ $pids->{$name} }) - $before{$name};
            push @{ $ms{$name} }, 60e3 * $cpu / (time - $begun);
        }
    }
    return %ms;
}

1;
