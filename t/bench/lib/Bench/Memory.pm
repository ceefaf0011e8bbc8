# SPDX-License-Identifier: Apache-2.0
#
# What the module adds to the memory that a child has for itself: the median
# over idle children that have served something, with the module and without.
package Bench::Memory;

use strict;
use warnings;

use AMGR::Httpd ();
use Bench::Report qw(median number quartiles);
use Bench::Server ();

use Exporter qw(import);
our @EXPORT_OK = qw(private_kib);

# Turn about, so that nothing else tells them apart.
sub measure {
    my ($report) = @_;
    my @cases = map { case($_, 0), case($_, 1) } qw(prefork worker event);
    for my $case (@cases) {
        Bench::Server::start($case);
        Bench::Server::fill($case);
    }
    # After its first ticks a child may differ.
    Bench::Server::wait_seen($_) for grep { $_->{manager} } @cases;
    my %kib;
    $kib{ $_->{mpm} }[$_->{manager}] = [map { private_kib($_) }
                                        @{ $_->{workers} }] for @cases;
    Bench::Server::finish(@cases);
    for my $mpm (sort keys %kib) {
        my ($without, $with) = @{ $kib{$mpm} };
        $report->add("child-$mpm", base => [median(@$without)],
                     figures => [median(@$with) - median(@$without)],
                     note => sprintf '%s to %s KiB, without %s to %s, of %d',
                     (map { number($_) } quartiles(@$with),
                      quartiles(@$without)), scalar @$with);
    }
    return;
}

sub case {
    my ($mpm, $manager) = @_;
    return $mpm eq 'prefork'
        ? Bench::Server::prefork(40, manager => $manager)
        : Bench::Server::threaded($mpm, 20, 25, manager => $manager);
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
