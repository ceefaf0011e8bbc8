#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A server that was started a moment ago and has nothing but its board, which
# has no figures before the first tick: the parent is stopped, so that there is
# none until it is let go on.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Board;
use AMGR::Cli qw(cli);
use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);
use POSIX ();

my $user = AMGR::Httpd::is_root() ? "User nobody\n" : '';
my $s = AMGR::Httpd->new(mpm => 'prefork', location => 0, config => <<"EOT");
<ManagedProcess web>
    Command /bin/sleep 3600
    $user
</ManagedProcess>
EOT
$s->start;
my $parent = $s->parent_pid;
kill 'STOP', $parent or die "kill: $!\n";
my $board = $s->board_file;
my $none = AMGR::Board->ticks($board);
my %env = (APACHE_CONFDIR => $s->path('conf'));

sub run { return cli({ env => \%env }, '-v', @_) }

for my $args (['status'], ['--processes', '--json'], ['status', 'web']) {
    my $r = run(@$args);
    like($r->{code}, qr/^[03]$/, "@$args: is told") or diag($r->{err});
    like($r->{err}, qr/read from \Q$board\E \(board\)$/m, '... by the board');
    like($r->{out}, qr/\bweb\b/, '... of the process');
}
is(run('restart', 'web')->{code}, 0, 'orders are obeyed');

# Zabbix waits for three seconds.
my $r = run('-z');
is($r->{code}, 0, 'groups are told by /proc') or diag($r->{err});
unlike($r->{err}, qr/waited for/, '... at once');

my $waits = qr/^apache-manager: the server has just been started: its first tick is waited for$/m;
$r = run('--json');
is($r->{code}, 1, 'without a tick there are no figures');
is($r->{out}, '', '... nor any that are none');
like($r->{err}, $waits, '... but it is said that they are waited for');
like($r->{err}, qr/^apache-manager: no answer from the server: board \Q$board\E: its server has made no tick yet;/m,
     '... and that they have not come');
is(AMGR::Board->ticks($board), $none, 'there was none indeed');

# It is let go on when the tool waits.
my $said = $s->path('work/said');
my $pid = fork // die "fork: $!\n";
if ($pid == 0) {
    open STDOUT, '>', $s->path('work/shown');
    open STDERR, '>', $said;
    exec AMGR::Cli::cli_program(), '--json', '-v', '--url', $s->url('/')
        or POSIX::_exit(127);
}
ok(wait_until(sub { -e $said && AMGR::Httpd::slurp($said) =~ $waits }, 30,
              'the tool waits'), 'it waits');
kill 'CONT', $parent or die "kill: $!\n";
waitpid $pid, 0;
is($? >> 8, 0, '... and is told, when there is one');
like(AMGR::Httpd::slurp($said), qr/read from \Q$board\E \(board\)$/m,
     '... by the board');

$s->stop_ok;
done_testing();
