# SPDX-License-Identifier: Apache-2.0
#
# From crossing a limit to the decision on record and to the end of the worker:
# a WSGI application takes memory, over the limit of idle workers (over it from
# the answer on) or of active ones (from the question on, which is a little
# early and never too late).
package Bench::Reaction;

use strict;
use warnings;

use AMGR::Httpd qw(wait_until);
use Bench::Report qw(median spread);
use List::Util qw(first max);
use Time::HiRes qw(sleep time);

use constant {
    SAMPLES      => 6,      # of each kind
    INTERVAL_MS  => 500,
    SLACK_MS     => 100,
    LEAK_MB      => 80,
    IDLE_MB      => 60,
    ACTIVE_MB    => 130,
    MIN_AGE_SEC  => 1,
    BUSY_SEC     => 0.9,    # longer than it may take to decide
    END_SEC      => 10,
};

sub measure {
    my ($report) = @_;
    my @servers = map { server($_) } qw(event prefork);
    my %ms;
    for my $turn (1 .. SAMPLES) {
        for my $server (@servers) {
            for my $active (0, 1) {
                my $kind = $active ? 'active' : 'idle';
                my ($decided, $ended) = sample($server, $active);
                push @{ $ms{$kind}{decided} }, 1000 * $decided;
                push @{ $ms{$kind}{ended} }, 1000 * $ended;
            }
        }
    }
    for my $server (@servers) {
        my @wrong = $server->stop;
        die $server->name . ": @wrong\n" if @wrong;
    }
    for my $kind (qw(idle active)) {
        my @decided = @{ $ms{$kind}{decided} };
        $report->row("over a limit to the decision, $kind worker, at most",
                     max(@decided), ' ms', INTERVAL_MS + SLACK_MS,
                     'median ' . Bench::Report::number(median(@decided))
                     . ', ' . spread(@decided));
    }
    my @ended = @{ $ms{idle}{ended} };
    $report->row('over a limit to its end, idle worker, at most',
                 max(@ended), ' ms', undef, spread(@ended));
    return;
}

# Small processes, so that one of several is not the last that serves.
sub server {
    my ($mpm) = @_;
    my $server = AMGR::Httpd->new(
        mpm => $mpm, modules => ['wsgi'], interval => INTERVAL_MS . 'ms',
        log_level => 'notice');
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

# Every worker is old enough, at a random point of the interval.
sub rest {
    my ($server) = @_;
    wait_until(sub {
        my $json = $server->json;
        my @workers = grep { $_->{kind} eq 'native' } @{ $json->{processes} };
        @workers > 1 && !grep {
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
    my $kill = wait_until(sub {
        first { $_->{time} >= $from - 0.001 && $_->{action} ne 'none' }
            @{ $server->json->{kills} };
    }, END_SEC, 'a record of it') or die "no kill on record\n";
    my $kind = $active ? 'memory_active' : 'memory_idle';
    $kill->{reason} eq $kind or die "$kill->{reason}, not $kind\n";
    return ($kill->{time} - $from, ($ended // $request->{ended}) - $from);
}

1;
