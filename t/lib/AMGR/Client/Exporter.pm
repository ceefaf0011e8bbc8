# SPDX-License-Identifier: Apache-2.0
#
# prometheus-apache-exporter: scrapes when it is scraped.
package AMGR::Client::Exporter;

use strict;
use warnings;

use parent 'AMGR::Client::Program';

use AMGR::Client qw(start_program end_program is_ended);
use AMGR::Client::Span qw(@LETTERS);
use AMGR::Httpd qw(wait_until);
use IO::Socket::INET;
use LWP::UserAgent;

my %state = ('_' => 'idle', S => 'startup', R => 'read', W => 'reply',
             K => 'keepalive', D => 'dns', C => 'closing', L => 'logging',
             G => 'graceful_stop', I => 'idle_cleanup', '.' => 'open_slot');
my %key_of = (
    accesses_total                  => 'Total Accesses',
    sent_kilobytes_total            => 'Total kBytes',
    duration_ms_total               => 'Total Duration',
    'cpu_time_ms_total{type="user"}'   => 'cpu user',
    'cpu_time_ms_total{type="system"}' => 'cpu system',
    cpuload                         => 'CPULoad',
    uptime_seconds_total            => 'Uptime',
    version                         => 'version',
    'generation{type="config"}'     => 'ParentServerConfigGeneration',
    'generation{type="mpm"}'        => 'ParentServerMPMGeneration',
    'load{interval="1min"}'         => 'Load1',
    'load{interval="5min"}'         => 'Load5',
    'load{interval="15min"}'        => 'Load15',
    'workers{state="busy"}'         => 'BusyWorkers',
    'workers{state="idle"}'         => 'IdleWorkers',
    'processes{state="all"}'        => 'Processes',
    'processes{state="stopping"}'   => 'Stopping',
    'connections{state="total"}'    => 'ConnsTotal',
    'connections{state="writing"}'  => 'ConnsAsyncWriting',
    'connections{state="keepalive"}' => 'ConnsAsyncKeepAlive',
    'connections{state="closing"}'  => 'ConnsAsyncClosing',
    (map { ("scoreboard{state=\"$state{$_}\"}" => "letter $_") } @LETTERS),
    'info mpm'                      => 'ServerMPM',
    'info version'                  => 'ServerVersion',
);

sub name    { return 'apache_exporter' }
sub key_of  { return \%key_of }
sub default { return { cpuload => 0 } }

sub start {
    my ($class, $place) = @_;
    for my $try (1 .. 5) {
        my $port = AMGR::Httpd::free_port();
        my $pid = start_program($place, {}, 'prometheus-apache-exporter',
            "--scrape_uri=$place->{url}",
            "--telemetry.address=127.0.0.1:$port");
        my $self = bless { pid => $pid, port => $port }, $class;
        wait_until(sub {
            is_ended($pid) || IO::Socket::INET->new(
                PeerAddr => '127.0.0.1', PeerPort => $port);
        }, 20, 'apache_exporter');
        # Somebody else may have taken the port.
        return $self unless is_ended($pid);
    }
    die "apache_exporter does not start\n";
}

# It waits two seconds when told politely.
sub stop { return end_program($_[0]{pid}, 'KILL') }

# Its samples without the prefix, and the labels of info one by one.
sub ask {
    my ($self) = @_;
    my $answer = LWP::UserAgent->new(timeout => 20)
        ->get("http://127.0.0.1:$self->{port}/metrics");
    return { error => $answer->status_line . ': ' . $answer->content }
        unless $answer->is_success;
    my %found;
    for my $line (split /\n/, $answer->content) {
        next unless $line =~ /^apache_((?!exporter_)\w+(?:\{.*\})?) (\S+)$/;
        my ($name, $value) = ($1, $2);
        if ($name =~ /^info\{mpm="(.*)",version="(.*)"\}$/) {
            @found{'info mpm', 'info version'} = ($1, $2);
        }
        elsif ($name eq 'up') {
            $found{error} = 'it is not up' unless $value == 1;
        }
        else {
            $found{error} = "$name twice" if exists $found{$name};
            $found{$name} = $value;
        }
    }
    return \%found;
}

1;
