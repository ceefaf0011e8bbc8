# SPDX-License-Identifier: Apache-2.0
#
# Requests for a small file and of a small WSGI application, on each MPM, with
# the module and without, in turns: what CPU time all of httpd needs for one,
# the ticker and the parent included, how many a second, and how long the
# slowest of a hundred takes.  A server has the last processor to itself and its
# clients the others, where there are some: who runs beside whom would make more
# of a difference than the module.  What a second server without the module
# differs by from the first is what says nothing.
package Bench::Loads;

use strict;
use warnings;

use AMGR::Httpd ();
use Bench::Client ();
use Bench::Cpu qw(cpu_of);
use Bench::Machine ();
use Bench::Report qw(median);

use constant {
    ROUNDS    => 7,
    ROUND_SEC => 1,    # with a tick in each
    CLIENTS   => 2,
    INTERVAL  => '1s',
    WITHOUT   => 0,    # which server
    WITH      => 1,
    TWIN      => 2,    # without it as well
};

my %path = (static => '/index.html', wsgi => '/app/');

sub measure {
    my ($report) = @_;
    my @all = Bench::Machine::processors();
    my @clients = @all > 1 ? @all[0 .. $#all - 1] : @all;
    for my $mpm (qw(prefork worker event)) {
        Bench::Machine::keep_to($all[-1]);
        my @servers = map { server($mpm, $_ == WITH) } WITHOUT, WITH, TWIN;
        Bench::Machine::keep_to(@clients);
        compare($report, $mpm, @servers);
    }
    Bench::Machine::keep_to(@all);
    return;
}

sub compare {
    my ($report, $mpm, @servers) = @_;
    $servers[WITH]->wait_ticks(2) or die "$mpm: no ticks\n";
    my @pids = map { [$_->parent_pid, $_->children] } @servers;
    my %rounds;
    for my $round (0 .. ROUNDS) {
        for my $what (sort keys %path) {
            # Each has its turn at every place.
            for my $which (map { ($_ + $round) % @servers } 0 .. $#servers) {
                my $figures = round($servers[$which], $pids[$which],
                                    $path{$what});
                # The first warms up.
                push @{ $rounds{$what}[$which] }, $figures if $round;
            }
        }
    }
    for my $server (@servers) {
        my @wrong = $server->stop;
        die $server->name . ": @wrong\n" if @wrong;
    }
    add_row($report, "$_-$mpm", @{ $rounds{$_} }) for sort keys %path;
    return;
}

sub add_row {
    my ($report, $key, @rounds) = @_;
    my $ratios = sub {
        my ($which, $of) = @_;
        return [map { $rounds[$which][$_]{$of} / $rounds[WITHOUT][$_]{$of} }
                0 .. ROUNDS - 1];
    };
    my @figures = qw(cpu rate p99);
    my @base = map {
        my $of = $_;
        median(map { $_->{$of} } @{ $rounds[WITHOUT] });
    } @figures;
    $report->add($key, of => [map { $ratios->(WITH, $_) } @figures],
                 base => [@base, map { median(@{ $ratios->(TWIN, $_) }) }
                          @figures]);
    return;
}

sub server {
    my ($mpm, $manager) = @_;
    my $server = AMGR::Httpd->new(
        mpm => $mpm, manager => $manager, location => $manager,
        modules => ['wsgi'], interval => $manager ? INTERVAL : undef,
        log_level => 'notice',
        mpm_config => $mpm eq 'prefork' ? <<'PREFORK' : <<'THREADED');
StartServers 4
ServerLimit 4
MaxRequestWorkers 4
MinSpareServers 1
MaxSpareServers 4
PREFORK
StartServers 1
ServerLimit 1
ThreadLimit 16
ThreadsPerChild 16
MaxRequestWorkers 16
THREADED
    my $script = $server->wsgi_script;
    $server->{config} = <<"END";
ExtendedStatus On
MaxKeepAliveRequests 0
KeepAliveTimeout 30
WSGIScriptAlias /app $script
END
    return $server->start;
}

# Of one round: CPU time of a request and the 99th percentile of how long it
# took, in microseconds, and requests a second.
sub round {
    my ($server, $pids, $path) = @_;
    my $before = cpu_of(@$pids);
    my @clients = map {
        Bench::Client::load($server->port, $path, ROUND_SEC);
    } 1 .. CLIENTS;
    my @took;
    for my $client (@clients) {
        my @lines = <$client>;
        close $client;
        die 'a client ' . ($lines[0] // 'said nothing') . "\n"
            if !@lines || $lines[0] =~ /failed/;
        push @took, @lines;
    }
    my @sorted = sort { $a <=> $b } @took;
    return {
        cpu => 1e6 * (cpu_of(@$pids) - $before) / @took,
        rate => @took / ROUND_SEC,
        p99 => 1e6 * $sorted[0.99 * $#sorted],
    };
}

1;
