#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Requests of HTTP/2, which are in no slot of the board: they hang whatever
# threshold is asked for, and nobody says that they are within a time limit.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Case::Budgets;
use AMGR::Case::Kill;
use AMGR::Cli qw(cli);
use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);

my $s = AMGR::Httpd->new(mpm => 'event', name => 'h2', interval => '200ms',
                         modules => [qw(wsgi http2)]);
my $script = $s->wsgi_script;
$s->{config} = <<"END";
Protocols h2c http/1.1
ManagerMaxTime 1h
ManagerHangingThreshold 5s
WSGIScriptAlias /app $script
END
# Of Python that sleeps.
$s->expect_log(qr/AH00046: child process \d+ still did not exit, sending/);
$s->start;

my @curls = map { AMGR::Case::Budgets::curl($s, '/app/sleep?s=60') } 1, 2;
ok(wait_until(sub { cli('--url', $s->url('/'), '-q')->{out}
                        =~ /^Hanging \(2 workers\):$/m }, 30, 'hanging'),
   'two requests hang');
thresholds();
time_limits();
for my $curl (@curls) {
    kill 'KILL', $curl->{pid};
    waitpid $curl->{pid}, 0;
}
$s->stop_ok;
done_testing();

sub thresholds {
    for my $threshold ([], ['-T', '5s'], ['-T', '4s']) {
        my $r = cli('--url', $s->url('/'), @$threshold);
        is($r->{code}, 3, "report @$threshold: they hang") or diag($r->{err});
        like($r->{out}, qr/^Hanging \(2 workers\):$/m,
             "report @$threshold: both of them");
        $r = cli('--url', $s->url('/'), @$threshold, '-c', '-f', '-');
        like($r->{out}, qr/^workers-hanging\t2$/m,
             "data file @$threshold: both of them");
    }
    my $r = cli('--url', $s->url('/'), '-T', '1h');
    is($r->{code}, 0, 'a greater threshold') or diag($r->{err});
    like($r->{err}, qr/^apache-manager: 2 requests of HTTP\/2 hang by the server's own threshold of 5 seconds, and how old they are nobody tells: not counted$/m,
         'is one that nobody can count by');
    return;
}

sub time_limits {
    my $r = AMGR::Case::Kill::kill_run($s, '-n', '-t', '4s');
    is($r->{code}, 1, 'a time limit that nobody can judge by is no success');
    AMGR::Case::Kill::said($r, qr/^apache-manager: 2 requests of HTTP\/2 were not judged by --max-time: how old they are the server alone knows \(ManagerSocket\)$/m,
                           'which is said');
    unlike($r->{err}, qr/within resource usage limits/, 'and nothing else');
    $r = AMGR::Case::Kill::kill_run($s, '-n', '-t', '1h');
    AMGR::Case::Kill::ended_well($r, 'none is older than its process');
    return;
}
