# SPDX-License-Identifier: Apache-2.0
#
# Requests for a small file with the module and without, in turns: how many a
# second, how long each takes, and what CPU time the workers need for one.  The
# client and the server share the machine, so the last says most.
package Bench::Throughput;

use strict;
use warnings;

use AMGR::Httpd ();
use Bench::Client ();
use Bench::Cpu qw(workers cpu_of);
use Bench::Report qw(median spread);
use POSIX ();

use constant {
    ROUNDS    => 12,
    ROUND_SEC => 0.6,
    CLIENTS   => 2,
};

sub measure {
    my ($report) = @_;
    my @servers = map { server($_) } 0, 1;
    my @workers = map { [workers($_)] } @servers;
    my @rounds;
    for my $round (0 .. ROUNDS) {
        for my $turn (0, 1) {
            # Neither is always the first of the two.
            my $which = $round % 2 ? 1 - $turn : $turn;
            my $figures = round($servers[$which], $workers[$which]);
            push @{ $rounds[$which] }, $figures if $round; # the first warms up
        }
    }
    for my $server (@servers) {
        my @wrong = $server->stop;
        die $server->name . ": @wrong\n" if @wrong;
    }
    my @row = (
        [cpu => 'CPU time of a request, with against without'],
        [rate => 'requests a second, with against without'],
        [latency => 'median time of a request, with against without'],
    );
    for (@row) {
        my ($key, $name) = @$_;
        my @ratios = map { $rounds[1][$_]{$key} / $rounds[0][$_]{$key} }
            0 .. ROUNDS - 1;
        $report->ratio($name, median(@ratios), spread(@ratios) . sprintf
            '; %s, %s %s', (map {
                my $side = $_;
                Bench::Report::number(median(map { $_->{$key} } @$side));
            } @rounds[1, 0]), $key eq 'rate' ? '/s' : 'us');
    }
    return;
}

sub server {
    my ($manager) = @_;
    return AMGR::Httpd->new(
        mpm => 'event', manager => $manager, location => $manager,
        log_level => 'notice',
        mpm_config => <<'MPM', config => <<'END')->start;
StartServers 1
ServerLimit 1
ThreadLimit 16
ThreadsPerChild 16
MaxRequestWorkers 16
MPM
ExtendedStatus On
MaxKeepAliveRequests 0
END
}

sub round {
    my ($server, $workers) = @_;
    my $before = cpu_of(@$workers);
    my @clients = map {
        Bench::Client::load($server->port, '/index.html', ROUND_SEC);
    } 1 .. CLIENTS;
    my @took;
    for my $client (@clients) {
        my @lines = <$client>;
        close $client;
        die 'a client ' . ($lines[0] // 'said nothing') . "\n"
            if !@lines || $lines[0] =~ /failed/;
        push @took, @lines;
    }
    return {
        cpu => 1e6 * (cpu_of(@$workers) - $before) / @took,
        rate => @took / ROUND_SEC,
        latency => 1e6 * median(@took),
    };
}

1;
