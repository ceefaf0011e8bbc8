# SPDX-License-Identifier: Apache-2.0
#
# What the module adds to the memory that a child has for itself: the median
# over idle children that have served something, with the module less without.
package Bench::Memory;

use strict;
use warnings;

use AMGR::Httpd qw(wait_until);
use Bench::Client qw(touch_slots);
use Bench::Cpu qw(workers);
use Bench::Report qw(median);

use constant {
    TICKS     => 2,     # of the hook, after which a child may differ
    TICKS_SEC => 30,
    REACH_KIB => 64,
};

my %sizes = (
    prefork => { slots => 40, config => <<'END' },
StartServers 40
ServerLimit 40
MaxRequestWorkers 40
MinSpareServers 5
MaxSpareServers 40
END
    event => { slots => 500, config => <<'END' },
StartServers 20
ServerLimit 20
ThreadLimit 25
ThreadsPerChild 25
MaxRequestWorkers 500
MinSpareThreads 25
MaxSpareThreads 500
END
);

# Turn about, so that nothing else tells them apart.
sub measure {
    my ($report) = @_;
    my @servers = map { server($_, 0), server($_, 1) } sort keys %sizes;
    for my $server (@servers) {
        my $slots = $sizes{ $server->mpm }{slots};
        touch_slots($server->port, '/index.html', $slots) for 1 .. 2;
    }
    for my $server (grep { $_->{manager} } @servers) {
        $server->wait_ticks(TICKS, TICKS_SEC)
            or die $server->name . ": no ticks\n";
    }
    my %kib;
    for my $server (@servers) {
        push @{ $kib{ $server->mpm }[$server->{manager}] },
            map { private_kib($_) } workers($server);
        my @wrong = $server->stop;
        die $server->name . ": @wrong\n" if @wrong;
    }
    for my $mpm (sort keys %kib) {
        my ($without, $with) = @{ $kib{$mpm} };
        $report->row("private memory added to a child, $mpm",
                     median(@$with) - median(@$without), ' KiB', REACH_KIB,
                     sprintf '%.0f to %.0f KiB; quartiles %s, %s; n=%d',
                     median(@$without), median(@$with), quartiles(@$without),
                     quartiles(@$with), scalar @$with);
    }
    return;
}

sub quartiles {
    my @sorted = sort { $a <=> $b } @_;
    return sprintf '%.0f-%.0f', $sorted[@sorted / 4], $sorted[3 * @sorted / 4];
}

sub server {
    my ($mpm, $manager) = @_;
    return AMGR::Httpd->new(mpm => $mpm, manager => $manager,
                            location => $manager, log_level => 'notice',
                            mpm_config => $sizes{$mpm}{config},
                            config => "ExtendedStatus On\n")->start;
}

sub private_kib {
    my ($pid) = @_;
    my $text = AMGR::Httpd::slurp("/proc/$pid/smaps_rollup");
    my ($clean) = $text =~ /^Private_Clean:\s+(\d+) kB/m;
    my ($dirty) = $text =~ /^Private_Dirty:\s+(\d+) kB/m;
    defined $clean && defined $dirty
        or die "the memory of process $pid cannot be read\n";
    return $clean + $dirty;
}

1;
