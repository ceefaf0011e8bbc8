#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# What makes killing dangerous is said at the start, to those whom it concerns;
# and what ends a managed process that inherits the error log.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use AMGR::Managed;
use Apache::Test qw(-withtestmore);

my $limit = "ManagerMaxTime 1h\n";
my @cases = (
    [ 1, "Mutex posixsem\n$limit" ],
    [ 1, "Mutex sem\n$limit" ],
    [ 0, "Mutex posixsem\n" ],
    [ 0, "Mutex pthread\n$limit" ],
    [ 0, $limit ],
);
for (@cases) {
    my ($warned, $config) = @$_;
    my $s = AMGR::Httpd->new(mpm => 'event', interval => '200ms',
                             config => $config);
    $s->start;
    (my $name = $config) =~ s/\n/; /g;
    is(scalar(my @lines = $s->log_lines(qr/AMGR0022: Mutex posixsem: /)),
       $warned, "$name" . ($warned ? 'warned of' : 'fine'));
    $s->expect_log(qr/AMGR0022: /) if $warned;
    $s->stop_ok;
}

# ---- a process that inherits the pipe of the error log ------------------------

# A server that logs to a program, or not, with a process that writes all the
# time.
sub inheriting {
    my ($is_piped, $output) = @_;
    my $s = AMGR::Httpd->new(mpm => 'event', name => $output
                             . ($is_piped ? ', piped' : ''));
    my $log = $s->log_file;
    my $program = $s->write('work/log.sh', "#!/bin/sh\nexec cat >>$log\n", 0755);
    my $error_log = $is_piped ? qq(ErrorLog "|$program") : '';
    $s->set_config(<<"END");
$error_log
<ManagedProcess web>
    Command /bin/sh -c "while :; do echo line >&2; sleep 0.1; done"
    PassEnv AMGR_TEST_SERVER
    Output $output
</ManagedProcess>
END
    return $s->start;
}

my $warning = qr/AMGR0038: process web: Output inherit: /;
my $s = inheriting(1, 'inherit');
my $web = AMGR::Managed::wait_for($s, 'web', 'READY');
is(scalar(my @said = $s->log_lines($warning)), 1, 'a pipe: warned of');
ok($s->graceful, 'it is another after a restart');
is(scalar(@said = $s->log_lines($warning)), 2, 'warned of once more');
ok(wait_until(sub {
    my $now = AMGR::Managed::one($s, 'web');
    return $now->{exits}{signal} == 1 && $now->{signal} == 13;
}, 30, 'the end'), 'and the process ends by SIGPIPE, as was said');
$s->expect_log($warning);
$s->stop_ok;

for my $case ([1, 'errorlog'], [0, 'inherit']) {
    $s = inheriting(@$case);
    $web = AMGR::Managed::wait_for($s, 'web', 'READY');
    is(scalar(@said = $s->log_lines($warning)), 0, "@{[$s->name]}: fine");
    ok($s->graceful, 'a restart');
    is(AMGR::Managed::one($s, 'web')->{pid}, $web->{pid}, 'it goes on');
    $s->stop_ok;
}
done_testing();
