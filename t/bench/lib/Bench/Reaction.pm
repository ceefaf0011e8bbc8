# SPDX-License-Identifier: Apache-2.0
#
# From crossing a limit to the decision on record and to the end of the worker:
# a WSGI application takes memory, over the limit of idle workers (over it from
# the answer on) or of active ones (from the question on, which is a little
# early and never too late).  The signal is that which strace sees the ticker
# send.
package Bench::Reaction;

use strict;
use warnings;

use AMGR::Httpd qw(wait_until);
use Bench::Report qw(median);
use Bench::Trace ();
use List::Util qw(first max);
use Time::HiRes qw(sleep time);

use constant {
    SAMPLES      => 6,      # of each kind
    WORKERS      => 3,      # fewer are never left alone, see the sizes
    INTERVAL_MS  => 500,
    SLACK_MS     => 100,
    LEAK_MB      => 80,
    IDLE_MB      => 60,
    ACTIVE_MB    => 130,
    MIN_AGE_SEC  => 1,
    BUSY_SEC     => 0.9,    # longer than it may take to decide
    END_SEC      => 30,
};

my %sizes = (prefork => <<'PREFORK', event => <<'EVENT');
StartServers 3
MinSpareServers 3
MaxSpareServers 6
ServerLimit 12
MaxRequestWorkers 10
PREFORK
StartServers 3
ThreadsPerChild 4
ThreadLimit 4
MinSpareThreads 9
MaxSpareThreads 16
ServerLimit 8
MaxRequestWorkers 24
EVENT

sub measure {
    my ($report) = @_;
    my @servers = map { server($_) } qw(event prefork);
    my %ms;
    for my $turn (1 .. SAMPLES) {
        for my $server (@servers) {
            for my $kind (qw(idle active)) {
                my ($decided, $ended) = sample($server, $kind eq 'active');
                push @{ $ms{"decision-$kind"} }, 1000 * $decided;
                push @{ $ms{end} }, 1000 * $ended if $kind eq 'idle';
            }
        }
        push @{ $ms{signal} }, 1000 * signalled($servers[1]);
    }
    for my $server (@servers) {
        my @wrong = $server->stop;
        die $server->name . ": @wrong\n" if @wrong;
    }
    for my $key (sort keys %ms) {
        my @ms = @{ $ms{$key} };
        $report->add($key, figures => [max(@ms), median(@ms)],
                     note => Bench::Report::variation(@ms));
    }
    return;
}

# Processes of which one of several is not the last that serves, and another
# takes its place.
sub server {
    my ($mpm) = @_;
    my $server = AMGR::Httpd->new(
        mpm => $mpm, mpm_config => $sizes{$mpm}, modules => ['wsgi'],
        interval => INTERVAL_MS . 'ms', log_level => 'notice');
    my $script = $server->wsgi_script;
    $server->{config} = <<"END";
ManagerMinAge @{[MIN_AGE_SEC]}s
ManagerMaxMemoryIdle @{[IDLE_MB]}M
ManagerMaxMemoryActive @{[ACTIVE_MB]}M
WSGIApplicationGroup %{GLOBAL}
WSGIImportScript $script process-group=%{GLOBAL} application-group=%{GLOBAL}
WSGIScriptAlias /app $script
END
    return $server->start;
}

# All workers are there, those that came for the last ones too, and each is old
# enough; at a random point of the interval.
sub rest {
    my ($server) = @_;
    wait_until(sub {
        my $json = $server->json;
        my @workers = grep { $_->{kind} eq 'native' } @{ $json->{processes} };
        @workers >= WORKERS && !grep {
            ($_->{age_seconds} // 0) < MIN_AGE_SEC + 0.5
                || $_->{state} ne 'serving'
        } @workers;
    }, END_SEC, 'workers of some age') or die "no workers of some age\n";
    sleep rand INTERVAL_MS / 1000;
    return;
}

# Seconds from crossing to the decision and to the end of the worker.
sub sample {
    my ($server, $active) = @_;
    rest($server);
    my ($from, $pid, $ended) = cross($server, $active);
    my $kill = wait_until(sub {
        first { $_->{time} >= $from - 0.001 && $_->{action} ne 'none' }
            @{ $server->json->{kills} };
    }, END_SEC, 'a record of it') or die "no kill on record\n";
    my $kind = $active ? 'memory_active' : 'memory_idle';
    $kill->{reason} eq $kind or die "$kill->{reason}, not $kind\n";
    return ($kill->{time} - $from, $ended - $from);
}

# Seconds to the first signal that the ticker sends an idle worker.
sub signalled {
    my ($server) = @_;
    rest($server);
    my ($from, $pid);
    my @calls = Bench::Trace::calls($server->ticker_pid, sub {
        ($from, $pid) = cross($server, 0);
    }, qw(pidfd_send_signal kill));
    my $sent = first { $_->{time} >= $from && $_->{line} =~ /, SIGUSR1\b/ }
        @calls;
    defined $sent or die "strace saw no signal\n";
    return $sent->{time} - $from;
}

# When a worker has crossed its limit, which one if its answer came, and when
# it had ended.
sub cross {
    my ($server, $active) = @_;
    my $path = $active
        ? sprintf('/app/leak?mb=%d&s=%s', LEAK_MB + ACTIVE_MB, BUSY_SEC)
        : sprintf('/app/leak?mb=%d', LEAK_MB);
    my $from = time;
    my $request = $server->start_request($path);
    $request->wait(END_SEC) or die "$path: no answer\n";
    $from = $request->{ended} unless $active;
    my ($pid) = $request->bytes =~ /^pid=(\d+)/m;
    my $ended;
    if (defined $pid) {
        wait_until(sub { !AMGR::Httpd::is_alive($pid) }, END_SEC,
                   "the end of $pid") or die "$pid was not retired\n";
        $ended = time;
    }
    return ($from, $pid, $ended // $request->{ended});
}

1;
