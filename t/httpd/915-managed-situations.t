#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Managed processes where things are not as usual: one process (-X), an
# ordinary user, a supervisor that hangs, another User, no error log to write
# to, a daemon, verifiers of other modules.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use AMGR::Managed;
use Apache::Test qw(-withtestmore);

sub server {
    my ($name, $config, %more) = @_;
    my $mpm = delete $more{mpm} // 'event';
    my $s = AMGR::Httpd->new(mpm => $mpm, name => $name, %more);
    AMGR::Managed::prepare($s);
    $s->set_config(ref $config ? $config->($s) : $config
                   . AMGR::Managed::section($s, 'web'));
    return $s;
}

sub ready { my ($s, $not) = @_; return AMGR::Managed::wait_for($s, 'web', 'READY', $not) }

sub owner { my ($pid) = @_; return (stat "/proc/$pid")[4] }

# Its supervisor hangs while the others are looked at.
my $hung = server('hung', '');
$hung->{env} = { LD_PRELOAD => $hung->build_object('clock'), AMGR_CLOCK => 10 };
my ($stopped, $stopped_web);
$hung->start;
{
    my $web = ready($hung);
    ok($web, 'a process on a fast clock');
    $stopped = AMGR::Managed::supervisor($hung);
    $stopped_web = $web->{pid};
    $hung->expect_log(qr/AMGR0040: supervisor \d+ has not answered for \d+ s/);
    kill 'STOP', $stopped;
}

# All of a container was stopped, and then the parent alone has had a turn: it
# ticks in the hook in which it looks after its supervisor.
my $paused = server('paused', '', interval => '10s');
$paused->{env} = { LD_PRELOAD => $paused->build_object('clock'),
                   AMGR_CLOCK => 10 };
$paused->start;
my $paused_web = ready($paused);
ok($paused_web, 'another process on a fast clock');

# ---- one process ------------------------------------------------------------

for my $mpm (qw(event prefork)) {
    my $s = server("$mpm-X", '', mpm => $mpm, args => ['-X'])->start;
    ok(wait_until(sub { AMGR::Managed::noted($s, 'web.pids') }, 20,
                  'the process'), "$mpm -X: the process is started");
    my ($supervisor) = AMGR::Managed::supervisors($s);
    my @tree = AMGR::Managed::tree($s, $supervisor);
    $s->stop;
    ok(AMGR::Managed::are_gone(5, @tree), "$mpm -X: and ends with it");
}
{
    my $s = server('killed-X', '', args => ['-X'])->start;
    my $web = ready($s);
    ok($web, '-X: the page has it');
    my ($old) = AMGR::Managed::supervisors($s);
    my @tree = AMGR::Managed::tree($s, $old);
    kill 'KILL', $old;
    ok(AMGR::Managed::are_gone(5, grep { $_ != $old } @tree),
       '-X: no supervisor, no process');
    is(scalar(AMGR::Managed::supervisors($s)), 0, '-X: it is not replaced');
    $s->stop;
}

# ---- users -------------------------------------------------------------------

if (AMGR::Httpd::is_root()) {
    my $s = server('user', '', as_user => 65534);
    chown 65534, 65534, AMGR::Managed::state_dir($s);
    $s->start;
    my $web = ready($s);
    is(owner($web->{pid}), 65534, 'an ordinary user has processes of its own');
    my ($supervisor) = AMGR::Managed::supervisors($s);
    ok($s->graceful, 'graceful restart');
    is(ready($s)->{pid}, $web->{pid}, 'which it leaves alone');
    $s->stop_ok;

    # httpd's own User is that of its processes: another one, other processes.
    $s = server('other', '')->start;
    $web = ready($s);
    is(owner($web->{pid}), scalar getpwnam('www-data'), "httpd's User is theirs");
    my ($old) = AMGR::Managed::supervisors($s);
    chmod 0666, glob AMGR::Managed::state_dir($s) . '/*';
    $s->set_config("User nobody\n" . AMGR::Managed::section($s, 'web'));
    ok($s->graceful, 'graceful restart with another User');
    ok(AMGR::Managed::supervisor($s, $old), 'the supervisor is replaced');
    like($s->log_text, qr{AMGR0040: supervisor $old is replaced, .*: httpd's (?x:
         )User or Group is another},
         'and why');
    $web = ready($s, $web->{pid});
    is(owner($web->{pid}), scalar getpwnam('nobody'), 'and its processes are');
    is(join(' ', AMGR::Managed::noted($s, 'web.double')), '', 'after the others');
    $s->stop_ok;
}
else {
    my $s = server('user', '')->start;
    is(owner(ready($s)->{pid}), $>, 'an ordinary user has processes of its own');
    $s->stop_ok;
}

# ---- a daemon, as in production -----------------------------------------------

{
    my $s = server('daemon', sub {
        my ($s) = @_;
        my $noisy = $s->write('work/noisy.sh', <<'END', 0755);
#!/bin/sh
printf '\033[2J a\\b\n'
exec sleep 1000
END
        return AMGR::Managed::section($s, 'web')
            . "<ManagedProcess noisy>\nCommand $noisy\n"
            . "PassEnv AMGR_TEST_SERVER\n</ManagedProcess>\n";
    }, mpm => 'prefork', detach => 1)->start;
    my $web = ready($s);
    ok($web, 'httpd as a daemon runs it');
    my ($supervisor) = AMGR::Managed::supervisors($s);
    is((AMGR::Httpd::stat_fields($supervisor))[1], $s->parent_pid,
       'below the one that stays');
    ok(wait_until(sub { $s->log_text =~ /process noisy: \S/ }, 20, 'its output'),
       'a line in the error log');
    like($s->log_text, qr/AMGR0037: process noisy: \\x1b\[2J a\\\\b$/m,
         'escaped as everything there is, and once');
    $s->stop_ok;
}

# ---- no file to log to --------------------------------------------------------

{
    my $s = server('piped', sub {
        my ($s) = @_;
        return 'ErrorLog "|' . $s->write('work/log.sh', "#!/bin/sh\nexec cat >> "
            . $s->path('logs/piped.log') . "\n", 0755) . "\"\n"
            . AMGR::Managed::section($s, 'web');
    });
    $s->{port} = 1;
    # The harness reads the log of a file: it is told of the pipe's.
    symlink $s->path('logs/piped.log'), $s->path('logs/error.log')
        or die "symlink: $!\n";
    $s->start;
    my $web = ready($s);
    ok($web, 'with a piped log');
    ok($s->graceful, 'graceful restart: another logger');
    kill 'KILL', $web->{pid};
    ok(ready($s, $web->{pid}), 'it is started again');
    my @lines = wait_until(sub {
        2 <= (() = $s->log_lines(qr/AMGR0034: process web: .* READY/)) }, 20,
        'both');
    ok($lines[0], 'and the second logger has its line, too');
    $s->stop_ok;
}

# ---- verifiers of other modules -------------------------------------------------

{
    my $s = server('verifier', sub {
        my ($s) = @_;
        return 'LoadModule verifier_module ' . $s->build_object('mod_verifier')
            . "\n" . AMGR::Managed::section($s, 'web',
                'Verify there interval=200ms ' . $s->path('state/there'));
    })->start;
    my $web = AMGR::Managed::wait_for($s, 'web', 'RUNNING');
    ok(wait_until(sub { AMGR::Managed::one($s, 'web')->{checks}{failed} > 1 },
                  20, 'attempts'), q(another module's verifier is asked));
    is(AMGR::Managed::one($s, 'web')->{state}, 'RUNNING', 'it says no');
    $s->write('state/there', '');
    ok(ready($s), 'and then that it is ready');
    $s->stop_ok;
}

# ---- order, and the end of a job --------------------------------------------------

{
    my $s = server('order', sub {
        my ($s) = @_;
        return "ManagerStartOrder Config\n"
            . join '', map { AMGR::Managed::section($s, $_) } qw(web b);
    })->start;
    ok(AMGR::Managed::wait_for($s, $_, 'READY'), "$_ is ready") for qw(web b);
    my $all = AMGR::Managed::all($s);
    cmp_ok($all->{b}{started}, '>=', $all->{web}{ready_at},
           'ManagerStartOrder Config: one after the other');
    $s->stop_ok;
    is("@{[AMGR::Managed::noted($s, 'ended')]}", 'b web', 'and back');
}
{
    my $s = server('job', sub { <<'END' })->start;
ManagerExitWhenDone On
<ManagedProcess job>
    Command /bin/sleep 1
    Verify exited 0
    Restart never
</ManagedProcess>
END
    my $parent = $s->parent_pid;
    ok(wait_until(sub { $s->reap; !$s->is_running }, 20, 'the end'),
       'ManagerExitWhenDone: httpd ends with its job');
    ok(!-e $s->board_file, 'and leaves nothing');
    $s->stop;
}

# ---- one that had no turn ----------------------------------------------------

{
    my $supervisor = AMGR::Managed::supervisor($paused);
    my $hear = AMGR::Managed::one($paused, 'web')->{pid};
    # The second look that finds it silent kills it: so none may be near.
    $paused->wait_ticks(1);
    kill 'STOP', $supervisor;
    ok($paused->wait_ticks(1), 'the parent looks at one that had no turn');
    kill 'CONT', $supervisor;
    ok($paused->wait_ticks(1), 'and once again');
    is(AMGR::Managed::supervisor($paused), $supervisor, 'it is not replaced');
    is(ready($paused)->{pid}, $hear, 'and its process runs on');
    $paused->stop_ok;
}

# ---- one that hung ----------------------------------------------------------------

{
    my $new = AMGR::Managed::supervisor($hung, $stopped);
    ok($new, 'a supervisor that hangs is replaced');
    ok(AMGR::Managed::are_gone(1, $stopped), 'and is gone');
    ok(ready($hung, $stopped_web), 'its processes are started anew');
    is(join(' ', AMGR::Managed::noted($hung, 'web.double')), '', 'each once');
    $hung->stop_ok;
}
done_testing();
