#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# How the parent looks after the processes that it has forked for itself, its
# ticker and its supervisor, where not all is as it was left: this module was
# taken out for a while and others have their pids, another build of it has
# begun them, somebody else reaps them, or they had no turn.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use AMGR::Managed;
use Apache::Test qw(-withtestmore);
use POSIX ();
use Time::HiRes qw(sleep time);

use constant {
    SOON        => 30,
    MONITOR_SEC => 10, # between two looks of the parent
    ROUNDS      => 3,
};

sub server {
    my ($name, %more) = @_;
    my $section = delete $more{section} // [];
    my $s = AMGR::Httpd->new(mpm => 'event', name => $name,
                             interval => '500ms', %more);
    AMGR::Managed::prepare($s);
    $s->{env}{AMGR_STALE} = $s->path('work/stale');
    my $load = 'LoadModule stale_module '
        . $s->build_object('mod_stale', '-I' . AMGR::Httpd::repo_dir() . '/src')
        . "\n";
    $s->{without} = $load;
    $s->set_config($load . AMGR::Managed::section($s, 'web', @$section));
    return $s;
}

sub ready { my ($s, $not) = @_; return AMGR::Managed::wait_for($s, 'web', 'READY', $not) }

sub ticker {
    my ($s, $not) = @_;
    return wait_until(sub {
        my @pids = $s->ticker_pid;
        return @pids == 1 && $pids[0] != ($not // 0) && $pids[0];
    }, SOON, "a ticker of $s->{name}");
}

# When the parent looked last, by the start of what it forked in its first look.
sub looked {
    my ($pid) = @_;
    my ($uptime) = split ' ', AMGR::Httpd::slurp('/proc/uptime');
    my $look = time - $uptime + (AMGR::Httpd::stat_fields($pid))[19]
        / POSIX::sysconf(POSIX::_SC_CLK_TCK());
    $look += MONITOR_SEC while $look + MONITOR_SEC < time;
    return $look;
}

sub each_once {
    my ($s, $what) = @_;
    return is(join(' ', AMGR::Managed::noted($s, 'web.double')), '', $what);
}

sub pid_in {
    my ($s, $file) = @_;
    my $pid;
    wait_until(sub { ($pid) = AMGR::Httpd::slurp($s->path("work/$file.pid"))
                         =~ /^(\d+)\n/ }, SOON, $file);
    return $pid // die "no $file\n";
}

# ---- begun first, looked at last ----------------------------------------------

# The hook replaces a ticker that was killed: from then on it is known when the
# parent looks.
my $paused = server('paused')->start;
$paused->expect_log(qr/AMGR0011: ticker \d+ ended by itself \(wait status 0x9\)/);
my $first = ticker($paused);
kill 'KILL', $first;

# Nobody learns how its children end.
my $deaf = server('deaf', launcher => [$^X, '-e',
    '$SIG{CHLD} = "IGNORE"; exec @ARGV; die "$ARGV[0]: $!\n"'])->start;
my ($deaf_ticker, $deaf_web) = (ticker($deaf), ready($deaf));
my $deaf_supervisor = AMGR::Managed::supervisor($deaf);
my $unknown = 'ended by itself \(its wait status is unknown, since another has'
    . ' reaped it\)';
$deaf->expect_log(qr/AMGR0014: SIGCHLD is ignored/,
                  qr/AMGR0011: ticker $deaf_ticker $unknown/,
                  qr/AMGR0040: supervisor $deaf_supervisor $unknown/);
kill 'KILL', $deaf_ticker, $deaf_supervisor;

# ---- without this module for a while ------------------------------------------

my $away = server('away', interval => undef);
{
    my $decoy = $away->path('work/decoy');
    my $repo = AMGR::Httpd::repo_dir();
    system(split(' ', $ENV{CC} // 'cc'), '-std=gnu11', '-D_GNU_SOURCE', '-o',
           $decoy, "$repo/t/lib/c/decoy.c") == 0 or die "decoy: no program\n";
    chmod 0755, $decoy;
    @{ $away->{env} }{qw(AMGR_DECOY AMGR_DECOY_DIR)}
        = ($decoy, $away->path('work'));
    $away->{without} .= 'LoadModule decoy_module '
        . $away->build_object('mod_decoy') . "\n";
    my $with = $away->{without} . "ManagerInterval 500ms\n"
        . AMGR::Managed::section($away, 'web');
    $away->set_config($with);
    $away->start;
    my $web = ready($away);
    ok($web && ticker($away), 'a server with all that it can have');
    my $old = AMGR::Managed::supervisor($away);
    my %decoy = map { $_ => pid_in($away, $_) } qw(fork program);

    $away->{manager} = 0;
    $away->set_config($away->{without});
    ok($away->graceful, 'graceful restart without this module');
    ok(!$away->ticker_pid, 'no ticker');
    # Who could tell httpd whose it was is not there.
    $away->expect_log(qr/AH00488: long lost child came home! \(pid $old\)/);
    kill 'KILL', $old;
    ok(wait_until(sub { !-d "/proc/$old" }, SOON, 'its end'),
       q(httpd's own loop reaps the supervisor));
    $away->write('work/stale', "supervisor $decoy{fork}\n"
                 . "ticker $decoy{program}\n");
    $away->{manager} = 1;
    $away->set_config($with);
    ok($away->graceful, 'graceful restart with it, and others have the pids');
    ok(!-e $away->path('work/stale'), 'as it finds');
    ok(AMGR::Managed::supervisor($away), 'there is a supervisor');
    ok(ticker($away), 'there is a ticker');
    ok(ready($away, $web->{pid}), 'and the process');
    each_once($away, 'once');
    for my $who (sort keys %decoy) {
        is(AMGR::Httpd::slurp($away->path("work/$who")), '',
           "$who, which has a pid of theirs, is not signalled");
        ok(AMGR::Httpd::is_alive($decoy{$who}), 'and lives');
    }
    is(scalar(my @l = $away->log_lines(
        qr/AMGR0040: supervisor \d+ has ended while the server was restarted/)),
       1, 'it is told that it has ended, and no more');
    ok(-e $away->board_file && $away->wait_ticks(1),
       'tools find its board again');

    # And once more, back before the supervisor has ended.
    $web = ready($away);
    $old = AMGR::Managed::supervisor($away);
    $away->{manager} = 0;
    $away->set_config($away->{without});
    ok($away->graceful, 'graceful restart without it');
    $away->{manager} = 1;
    $away->set_config($with);
    ok($away->graceful, 'and at once with it');
    ok(AMGR::Managed::supervisor($away, $old), 'another supervisor');
    ok(ready($away, $web->{pid}), 'and another process');
    each_once($away, 'after the one before');
    is(scalar(() = AMGR::Managed::noted($away, 'ended')), 2,
       'which was told to end, as was the one of the supervisor that died');
    ok(-e $away->board_file && $away->wait_ticks(1), 'and a board for tools');
    $away->stop_ok('away: a clean end, and nothing alarming in the log');
}

# ---- a ticker that has no turn -------------------------------------------------

my $stopped = ticker($paused, $first);
my $look = looked($stopped) + MONITOR_SEC;
# So late that it would not be silent for long enough at the next one.
if ($look - time < MONITOR_SEC / 2 + 1) {
    sleep $look + 0.2 - time if time < $look + 0.2;
    $look += MONITOR_SEC;
}
ok($stopped, 'the parent has just looked');
kill 'STOP', $stopped;

# ---- of another build -----------------------------------------------------------

{
    my $s = server('build')->start;
    my $web = ready($s);
    my $old = AMGR::Managed::supervisor($s);
    my @count;
    for my $round (1 .. ROUNDS) {
        $s->write('work/stale', "build 0\n");
        ok($s->graceful, 'graceful restart into another build');
        my $new = AMGR::Managed::supervisor($s, $old);
        ok($new, 'the supervisor is replaced');
        like($s->log_text, qr{AMGR0040: supervisor $old is replaced, .*: it is(?x:
             )[ ]of another build}, 'and why');
        $old = $new;
        $web = ready($s, $web->{pid});
        ok($web, 'and its process');
        push @count, scalar(() = glob '/proc/' . $s->parent_pid . '/fd/*');
    }
    each_once($s, 'after the one before');
    is(scalar(() = AMGR::Managed::noted($s, 'ended')), ROUNDS,
       'each was told to end, and let');
    # One of the last is kept for some seconds.
    cmp_ok($count[-1], '<=', $count[0] + 1,
           'the parent keeps no descriptors of it');
    is(scalar(my @l = $s->log_lines(qr/long lost child/)), 0,
       'httpd knows whose end it sees');
    $s->stop_ok;
}

# Its supervisor writes to a board that nobody reads any more, and the process
# takes its time: longer than one may be silent, on a clock that is ten times as
# fast.
{
    my $s = server('board', interval => '10s',
                   section => ['StopTimeout 90s', 6]);
    $s->{env}{LD_PRELOAD} = $s->build_object('clock');
    $s->{env}{AMGR_CLOCK} = 10;
    $s->start;
    ok(ready($s), 'a process that takes its time to end');
    my $old = AMGR::Managed::supervisor($s);
    unlink $s->board_file or die $s->board_file . ": $!\n";
    ok($s->graceful, 'graceful restart with another board');
    like($s->log_text, qr/AMGR0040: supervisor $old is replaced, .*: its board/,
         'the supervisor has to go');
    $s->stop_ok;
    is(join(' ', AMGR::Managed::noted($s, 'ended')), 'web',
       'and has the time that its process takes');
}

# ---- reaped by another -------------------------------------------------------------

{
    ok(ticker($deaf, $deaf_ticker), 'another ticker');
    ok(AMGR::Managed::supervisor($deaf, $deaf_supervisor),
       'another supervisor');
    ok(ready($deaf, $deaf_web->{pid}), 'and process');
    is(scalar(my @l = $deaf->log_lines(qr/$unknown/)), 2,
       'nobody knows how they ended, as is said');
    $deaf->stop_ok;
}

# ---- and then has one -----------------------------------------------------------

sleep $look + 1 - time if time < $look + 1;
kill 'CONT', $stopped;
ok($paused->wait_ticks(2), 'the parent has looked at one that had no turn');
is(scalar $paused->ticker_pid, $stopped, 'it is not replaced');
$paused->stop_ok;
done_testing();
