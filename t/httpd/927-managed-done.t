#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A supervisor that has to go, each for a reason of its own: what runs is started
# anew, and what has done its work is not, as long as the server knows of it; the
# line of the log says which.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Cli qw(cli);
use AMGR::Httpd qw(wait_until);
use AMGR::Managed;
use Apache::Test qw(-withtestmore);
use Fcntl qw(SEEK_SET);

use constant {
    SOON => 60,
    # Of src/action/board_layout.h.
    VERSION_AT => 8,
};

my $but_done = 'managed processes are started anew unless they have done their'
    . ' work or were stopped by order';
my $all = 'all managed processes are started anew';

# A job, one of another user where that can be, and whoever waits for the first.
sub sections {
    my ($s) = @_;
    my $dir = AMGR::Managed::state_dir($s);
    my $user = AMGR::Httpd::is_root() ? 'User daemon' : '';
    my %lines = (job => '', own => $user);
    return "<Location /manager-status>\nManagerControl On\n</Location>\n"
        . AMGR::Managed::section($s, 'web', 'After job')
        . AMGR::Managed::section($s, 'down')
        . join '', map { <<"END" } sort keys %lines;
<ManagedProcess $_>
    Command /bin/sh -c "echo ran >> $dir/$_.runs"
    PassEnv AMGR_TEST_SERVER
    Verify exited 0
    $lines{$_}
</ManagedProcess>
END
}

sub server {
    my ($name, $clock) = @_;
    my $s = AMGR::Httpd->new(mpm => 'event', name => $name);
    AMGR::Managed::prepare($s);
    if (defined $clock) {
        $s->{env} = { LD_PRELOAD => $s->build_object('clock'),
                      AMGR_CLOCK => $clock };
    }
    $s->{env}{AMGR_STALE} = $s->path('work/stale');
    $s->{always} = 'LoadModule stale_module '
        . $s->build_object('mod_stale', '-I' . AMGR::Httpd::repo_dir() . '/src')
        . "\n";
    $s->set_config($s->{always} . sections($s));
    $s->start;
    for my $job (qw(job own)) {
        ok(AMGR::Managed::wait_for($s, $job, 'EXITED'), "$name: $job is done");
    }
    $s->{web} = AMGR::Managed::wait_for($s, 'web', 'READY');
    ok($s->{web}, "$name: whoever waited for it runs");
    is(cli('--url', $s->url('/manager-status'), 'stop', 'down')->{code}, 0,
       "$name: another is stopped by order");
    $s->{old} = AMGR::Managed::supervisor($s);
    return $s;
}

# The configuration without this module, and with it.
sub without {
    my ($s) = @_;
    $s->{manager} = 0;
    $s->set_config($s->{always});
    return ok($s->graceful, $s->name . ': graceful restart without the module');
}

sub with {
    my ($s, $more) = @_;
    $s->{manager} = 1;
    $s->set_config($s->{always} . ($more // '') . sections($s));
    return ok($s->graceful, $s->name . ': graceful restart with it');
}

# All are stopped, in their order, until the next restart.
sub shut {
    my ($s) = @_;
    my $name = $s->name;
    my $token = $s->json('/manager-status/processes')->{token};
    like($s->request('DELETE', '/manager-status/processes',
                     'X-Manager-Token' => $token)->code, qr/^20[02]$/,
         "$name: all are stopped by order");
    ok(AMGR::Managed::wait_for($s, 'web', 'STOPPED'), "$name: and have ended");
    return;
}

# How often they have run once there is another supervisor, and how the one that
# is started anew had ended: nobody knows that where the last table is not read,
# or its supervisor was killed.
sub runs_are {
    my ($s, %runs) = @_;
    my $name = $s->name;
    ok(AMGR::Managed::supervisor($s, $s->{old}), "$name: another supervisor");
    my $web = AMGR::Managed::wait_for($s, 'web', 'READY', $s->{web}{pid});
    ok($web, "$name: what runs is started anew");
    my $end = $name eq 'killed' ? 'lost' : 'ordered';
    is(join(' ', map { "$_ $web->{exits}{$_}" }
            grep { $web->{exits}{$_} } sort keys %{ $web->{exits} }),
       $name eq 'version' ? '' : "$end 1", "$name: and its end is counted");
    for my $job (sort keys %runs) {
        ok(AMGR::Managed::wait_for($s, $job, 'EXITED'), "$name: $job is done");
        is(scalar(() = AMGR::Managed::noted($s, "$job.runs")), $runs{$job},
           "$name: $job has run so often");
    }
    is(AMGR::Managed::one($s, 'down')->{state}, 'STOPPED',
       "$name: what was stopped by order stays so") if $runs{own} == 1;
    is(join(' ', AMGR::Managed::noted($s, 'web.double')), '',
       "$name: never two of one");
    return;
}

sub replaced {
    my ($s, $who, $why) = @_;
    my ($line) = $s->log_lines(qr/AMGR0040: supervisor $s->{old} is replaced/);
    return like($line, qr/ is replaced, and $who: $why/,
                $s->name . ': the log says what is started anew, and why');
}

# ---- its board is another ------------------------------------------------------

{
    my $s = server('board');
    unlink $s->board_file or die $s->board_file . ": $!\n";
    ok($s->graceful, 'board: it was removed, and comes back by a restart');
    runs_are($s, job => 1, own => 1);
    replaced($s, $but_done, 'its board has been replaced');
    $s->stop_ok;
}

# An order to stop all for good holds until the next restart, which this is.
{
    my $s = server('shut');
    shut($s);
    unlink $s->board_file or die $s->board_file . ": $!\n";
    ok($s->graceful, 'shut: a restart with another board');
    runs_are($s, job => 1, own => 1);
    $s->stop_ok;
}

# ---- another build ----------------------------------------------------------------

{
    my $s = server('build');
    $s->write('work/stale', "build 0\n");
    ok($s->graceful, 'build: graceful restart into another');
    runs_are($s, job => 1, own => 1);
    replaced($s, $but_done, 'it is of another build of this module');
    $s->stop_ok;
}

# Its board is one of a build that this one cannot read.
sub alienate {
    my ($s) = @_;
    open my $fh, '+<:raw', $s->board_file or die $s->board_file . ": $!\n";
    seek $fh, VERSION_AT, SEEK_SET or die "board: $!\n";
    print {$fh} pack 'L<', 9999 or die "board: $!\n";
    close $fh or die "board: $!\n";
    return;
}

# Which cannot read the board of the one before.
{
    my $s = server('version');
    alienate($s);
    $s->write('work/stale', "build 0\n");
    ok($s->graceful, 'version: graceful restart into another');
    runs_are($s, job => 2, own => 2);
    is(AMGR::Managed::wait_for($s, 'down', 'READY')->{want}, 'up',
       'version: what was stopped by order runs');
    replaced($s, $all, 'it is of another build of this module');
    $s->stop_ok;
}

# One that goes takes its time, although it is not heard any more: a board that
# comes to lie where its own has lain is not taken for that.  A minute is some
# seconds, and httpd looks after it each ten.
{
    my $s = AMGR::Httpd->new(mpm => 'event', name => 'silent');
    AMGR::Managed::prepare($s);
    $s->{env} = { LD_PRELOAD => $s->build_object('clock'), AMGR_CLOCK => 20 };
    my $dir = AMGR::Managed::state_dir($s);
    $s->write('work/slow.sh', <<"END");
end() {
    i=0
    while test -e "$dir/slow" && test \$i -lt 250; do
        sleep 0.1
        i=\$((i + 1))
    done
    echo web >> "$dir/ended"
    exit
}
trap end TERM
while :; do sleep 0.1; done
END
    $s->write('state/slow', '');
    $s->set_config(<<"END");
<ManagedProcess web>
    Command /bin/sh @{[$s->path('work/slow.sh')]}
    PassEnv AMGR_TEST_SERVER
    StopTimeout 1h
</ManagedProcess>
END
    $s->start;
    my $web = AMGR::Managed::wait_for($s, 'web', 'READY');
    my $old = AMGR::Managed::supervisor($s);
    alienate($s);
    ok($s->graceful, 'silent: a restart with a board that cannot be read');
    unlink $s->board_file or die $s->board_file . ": $!\n";
    ok($s->graceful, 'silent: and one with none');
    ok(AMGR::Managed::supervisor($s, $old), 'silent: another supervisor');
    is(join(' ', AMGR::Managed::noted($s, 'ended')), 'web',
       'silent: what runs has ended as it wished');
    is(scalar(() = $s->log_lines(qr/has not answered/)), 0, 'silent: nobody is killed');
    ok(AMGR::Managed::wait_for($s, 'web', 'READY', $web->{pid}),
       'silent: and is started anew');
    unlink "$dir/slow" or die "$dir/slow: $!\n";
    $s->stop_ok;
}

# ---- while the one before goes -------------------------------------------------

# Nobody takes for ready what is being stopped, and no order is accepted that
# would not be kept.
for my $name (qw(board build), AMGR::Httpd::is_root() ? 'user' : ()) {
    my $s = AMGR::Httpd->new(mpm => 'event', name => "leaving-$name");
    AMGR::Managed::prepare($s);
    $s->{env}{AMGR_STALE} = $s->path('work/stale');
    my $config = 'LoadModule stale_module '
        . $s->build_object('mod_stale', '-I' . AMGR::Httpd::repo_dir() . '/src')
        . "\n<Location /manager-status>\nManagerControl On\n</Location>\n"
        . AMGR::Managed::section($s, 'web', '', 4);
    $s->set_config($config);
    $s->start;
    my $web = AMGR::Managed::wait_for($s, 'web', 'READY');
    my $old = AMGR::Managed::supervisor($s);
    if ($name eq 'board') {
        unlink $s->board_file or die $s->board_file . ": $!\n";
    }
    elsif ($name eq 'build') {
        $s->write('work/stale', "build 0\n");
    }
    else {
        chmod 0666, glob AMGR::Managed::state_dir($s) . '/*';
        $s->set_config("User nobody\n$config");
    }
    ok($s->graceful, "$name: a restart");
    ok(AMGR::Managed::wait_for($s, 'web', 'STOPPING'),
       "$name: what runs is stopped");
    is($s->request('GET', '/manager-status/ready')->code, 503,
       "$name: not ready while it goes");
    my $page = $s->json('/manager-status/processes');
    unlike($s->get('/manager-status')->content, qr/shut down until httpd is/,
           "$name: nobody is told that a restart is needed");
    $s->expect_log(qr/AMGR0045: order over HTTP refused: shutdown/);
    is($s->request('DELETE', '/manager-status/processes',
                   'X-Manager-Token' => $page->{token})->code, 503,
       "$name: nobody takes an order to stop all");
    ok(AMGR::Httpd::is_alive($old), "$name: all of that while it was there");
    $web = AMGR::Managed::wait_for($s, 'web', 'READY', $web->{pid});
    is($web->{exits}{ordered}, 1, "$name: what has ended is counted");
    $s->stop_ok;
}

# Nor where the board goes as well while it does.
if (AMGR::Httpd::is_root()) {
    my $s = AMGR::Httpd->new(mpm => 'event', name => 'leaving-twice');
    AMGR::Managed::prepare($s);
    my $config = AMGR::Managed::section($s, 'db')
        . AMGR::Managed::section($s, 'web', 'After db', 4);
    $s->set_config($config);
    $s->start;
    my $web = AMGR::Managed::wait_for($s, 'web', 'READY');
    my $old = AMGR::Managed::supervisor($s);
    chmod 0666, glob AMGR::Managed::state_dir($s) . '/*';
    $s->set_config("User nobody\n$config");
    ok($s->graceful, 'twice: a restart with another User');
    ok(AMGR::Managed::wait_for($s, 'web', 'STOPPING'),
       'twice: what runs is stopped');
    unlink $s->board_file or die $s->board_file . ": $!\n";
    ok($s->graceful, 'twice: and one with another board');
    my $db = AMGR::Managed::one($s, 'db');
    is("$db->{state} $db->{ready}", 'STOPPING 0',
       'twice: nobody takes for ready what is yet to be stopped');
    ok(AMGR::Httpd::is_alive($old), 'twice: that while it was there');
    ok(AMGR::Managed::wait_for($s, 'web', 'READY', $web->{pid}),
       'twice: all is started anew');
    $s->stop_ok;
}

# ---- another User --------------------------------------------------------------

if (AMGR::Httpd::is_root()) {
    my $s = server('user');
    chmod 0666, glob AMGR::Managed::state_dir($s) . '/*';
    with($s, "User nobody\n");
    runs_are($s, job => 2, own => 1);
    replaced($s, $but_done, q(httpd's User or Group is another));
    $s->stop_ok;
}

# ---- nothing is configured any more --------------------------------------------

# Nobody is there any more whose section went, whoever has seen to its end.
for my $name (qw(board killed), AMGR::Httpd::is_root() ? 'user' : ()) {
    my $s = AMGR::Httpd->new(mpm => 'event', name => "none-$name");
    AMGR::Managed::prepare($s);
    $s->set_config(AMGR::Managed::section($s, 'web'));
    $s->start;
    my $web = AMGR::Managed::wait_for($s, 'web', 'READY');
    my $old = AMGR::Managed::supervisor($s);
    $s->set_config($name eq 'user' ? "User nobody\n" : '');
    if ($name eq 'board') {
        unlink $s->board_file or die $s->board_file . ": $!\n";
    }
    if ($name eq 'killed') {
        $s->expect_log(qr/AMGR0040: supervisor $old ended by itself/);
        $s->signal('STOP');
        kill 'KILL', $old;
        $s->signal('USR1');
        $s->signal('CONT');
    }
    else {
        ok($s->graceful, "$name: a restart without sections");
        is(scalar($s->log_lines(
               qr/ $old is replaced, and its processes are stopped: /)), 1,
           "$name: the log says that they are stopped");
    }
    ok(wait_until(sub { !keys %{ AMGR::Managed::all($s) } }, SOON, 'the end'),
       "$name: nobody is told of what is gone");
    ok(AMGR::Managed::are_gone(SOON, $old, $web->{pid}), "$name: which it is");
    is($s->get('/manager-status/ready')->code, 200, "$name: nor is it missed");
    unlike($s->json->{manager}{health_word}, qr/ready|supervisor/,
           "$name: all is well");
    $s->stop_ok;
}

# ---- without this module for a while --------------------------------------------

{
    my $s = server('moment');
    without($s);
    with($s);
    runs_are($s, job => 1, own => 1);
    replaced($s, $but_done, 'its board has been replaced');
    $s->stop_ok;
}
{
    my $s = server('killed');
    without($s);
    $s->expect_log(qr/AH00488: long lost child came home! \(pid $s->{old}\)/);
    kill 'KILL', $s->{old};
    ok(wait_until(sub { !-d "/proc/$s->{old}" }, SOON, 'its end'),
       'killed: it is, and reaped');
    with($s);
    runs_are($s, job => 1, own => 1);
    $s->stop_ok;
}

# Nor does an order to stop all outlive a restart before which its supervisor has
# ended: with the module away, and before anybody has made the next one.
{
    my $s = server('shut-away');
    shut($s);
    without($s);
    $s->expect_log(qr/AH00488: long lost child came home! \(pid $s->{old}\)/);
    kill 'KILL', $s->{old};
    ok(wait_until(sub { !-d "/proc/$s->{old}" }, SOON, 'its end'),
       'shut-away: it is killed');
    with($s);
    runs_are($s, job => 1, own => 1);
    $s->stop_ok;
}
{
    my $s = server('shut-killed');
    shut($s);
    $s->expect_log(qr/AMGR0040: supervisor $s->{old} ended by itself/);
    $s->signal('STOP');
    kill 'KILL', $s->{old};
    $s->signal('USR1');
    $s->signal('CONT');
    runs_are($s, job => 1, own => 1);
    $s->stop_ok;
}

# Until its supervisor has stopped all and ended: a minute is some seconds.
{
    my $s = server('long', 20);
    without($s);
    $s->expect_log(qr/AMGR0040: no configuration has come since/,
                   qr/AH00488: long lost child came home! \(pid $s->{old}\)/);
    ok(wait_until(sub { !-d "/proc/$s->{old}" }, SOON, 'its end'),
       'long: it has ended');
    with($s);
    runs_are($s, job => 1, own => 1);
    $s->stop_ok;
}
done_testing();
