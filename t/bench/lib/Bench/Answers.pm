# SPDX-License-Identifier: Apache-2.0
#
# What is asked for, against what is asked for of mod_status: CPU time of all
# workers for one answer, in turns on the same server, all of whose slots have
# served a request.  Programs keep their connection; a page ends that of a
# browser, so both pages are asked for over a connection each.
package Bench::Answers;

use strict;
use warnings;

use Bench::Client ();
use Bench::Cpu qw(cpu_during);
use Bench::Report qw(median);
use Bench::Server ();
use Bench::Table ();
use Time::HiRes qw(time);

use constant {
    HTML   => Bench::Server::STATUS,
    AUTO   => Bench::Server::STATUS . '?auto',
    BASE   => Bench::Server::MANAGER,
    ROUNDS => 15,
};

# Each of ours and what of mod_status's it is against, and how it is asked for.
my $each = sub {
    my ($port, $path, $count) = @_;
    Bench::Client::fetch($port, $path) for 1 .. $count;
};
my $kept = \&Bench::Client::keep_reading;
my %against = (
    page    => [[BASE, $each], [HTML, $each]],
    auto    => [[BASE . '?auto', $kept], [AUTO, $kept]],
    json    => [[BASE . '/status.json', $kept], [HTML, $kept]],
    metrics => [[BASE . '/metrics', $kept], [HTML, $kept]],
);

sub measure {
    my ($report) = @_;
    my @cases = Bench::Table::sizes();
    for my $case (@cases) {
        Bench::Server::start($case);
        Bench::Server::fill($case);
    }
    Bench::Server::wait_seen($_) for @cases;
    compare($report, $_) for @cases;
    Bench::Server::finish(@cases);
    return;
}

sub compare {
    my ($report, $case) = @_;
    my %ask = map { map { ("@$_" => $_) } @$_ } values %against;
    my %seen;
    for my $round (0 .. ROUNDS) {
        my @asks = sort keys %ask;
        # Each has its turn at every place.
        push @asks, splice @asks, 0, $round % @asks;
        for my $key (@asks) {
            my ($ms, $rate) = ask($case, @{ $ask{$key} });
            next unless $round; # the first warms up
            push @{ $seen{$key}{ms} }, $ms;
            push @{ $seen{$key}{rate} }, $rate;
        }
    }
    add_rows($report, $case, \%seen);
    return;
}

# CPU time of all workers for one answer, in ms, and answers a second.
sub ask {
    my ($case, $path, $ask) = @_;
    my $count = $case->{at_a_time};
    my $took;
    my $cpu = cpu_during($case->{workers}, sub {
        my $begun = time;
        $ask->($case->{server}->port, $path, $count);
        $took = time - $begun;
    });
    return (1000 * $cpu / $count, $count / $took);
}

sub add_rows {
    my ($report, $case, $seen) = @_;
    for my $name (qw(page auto json metrics)) {
        my ($ours, $theirs) = map { $seen->{"@$_"} } @{ $against{$name} };
        my @of = map {
            my $of = $_;
            [map { $ours->{$of}[$_] / $theirs->{$of}[$_] } 0 .. ROUNDS - 1];
        } $name eq 'page' ? qw(ms rate) : 'ms';
        $report->add("$name-$case->{key}", of => \@of,
                     base => [$name eq 'page' ? int(100 * $case->{used}) : (),
                              median(@{ $theirs->{ms} })]);
    }
    return;
}

1;
