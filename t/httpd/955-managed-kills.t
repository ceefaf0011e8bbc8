#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Whoever of those that take part in a managed process is killed or stopped,
# alone or with others: nothing is left of it that nobody looks after, there
# are never two copies, it is known how it ended, and what was counted stays.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use AMGR::Managed;
use Apache::Test qw(-withtestmore);

use constant {
    SOON => 30,
    SLOW => 2.5, # seconds that a process takes to end, within the mercy
    TREE => 14, # a supervisor, five guards, five processes, three more
    # What the end of httpd and of its supervisor may take, however it comes.
    END_SEC => 30,
    QUICK => "RestartDelay 100ms factor=1 jitter=0%\n    RestartLimit Off\n"
        . "    StopTimeout 1s\n",
};

sub server {
    my ($name, $config) = @_;
    my $s = AMGR::Httpd->new(mpm => 'event', name => $name);
    AMGR::Managed::prepare($s);
    $s->set_config($config->($s));
    return $s->start;
}

# A process with a descendant in another session, each of which lets itself be
# told, unless it is said otherwise.
sub holder {
    my ($s, $name, $lines, @args) = @_;
    return AMGR::Managed::section($s, $name, QUICK . ($lines // ''), @args);
}

sub ready {
    my ($s, $name, $not) = @_;
    return AMGR::Managed::wait_for($s, $name, 'READY', $not);
}

sub guard_of { return (AMGR::Httpd::stat_fields($_[0]))[1] }

# All that is below the supervisor, once so much is there: guards, processes and
# what those have started.
sub whole_tree {
    my ($s, $count) = @_;
    my @tree;
    wait_until(sub {
        @tree = AMGR::Managed::tree($s, AMGR::Managed::supervisor($s));
        return @tree >= $count;
    }, SOON, "a tree of $count");
    return @tree;
}

sub no_double {
    my ($s, $when) = @_;
    my @found = glob AMGR::Managed::state_dir($s) . '/*.double';
    return is("@found", '', "no second copy $when");
}

# ---- what is counted --------------------------------------------------------

# Every counter of every process, by name.
sub counters {
    my ($s) = @_;
    my $all = AMGR::Managed::all($s);
    my %count;
    for my $process (values %$all) {
        my $name = $process->{name};
        $count{"$name starts"} = $process->{starts};
        $count{"$name cpu"} = $process->{cpu_seconds} // 0;
        $count{"$name output"} = $process->{output_bytes};
        my ($exits, $checks) = @$process{qw(exits checks)};
        $count{"$name $_"} = $exits->{$_} for keys %$exits;
        $count{"$name checks $_"} = $checks->{$_} for qw(passed failed);
    }
    return \%count;
}

sub never_less {
    my ($s, $before, $when) = @_;
    my $now = counters($s);
    my @less = grep { ($now->{$_} // -1) < $before->{$_} } sort keys %$before;
    return is(join(', ', map { "$_: $before->{$_}, $now->{$_}" } @less), '',
              "no counter goes back $when");
}

# Each start but those of what runs now has led to an end.
sub adds_up {
    my ($s, $when) = @_;
    my $all = AMGR::Managed::all($s);
    for my $name (sort keys %$all) {
        my $process = $all->{$name};
        my $ends = 0;
        $ends += $_ for values %{ $process->{exits} };
        is($process->{starts} - $ends, $process->{pid} ? 1 : 0,
           "$name: each start has an end $when");
    }
    return;
}

# ---- servers that end -------------------------------------------------------

# While another one goes on: how each of them is struck.
my %ended = (
    'parent and supervisor' => [\&with_descendant, sub {
        my ($s, $web) = @_;
        kill 'KILL', $s->parent_pid, AMGR::Managed::supervisor($s);
    }],
    # Nobody is left who could look for what the process has started itself.
    'all but the process' => [\&alone, sub {
        my ($s, $web) = @_;
        kill 'KILL', $s->parent_pid, AMGR::Managed::supervisor($s),
            guard_of($web);
    }],
    'the server, its guard stopped' => [\&with_descendant, sub {
        my ($s, $web) = @_;
        kill 'STOP', guard_of($web);
        $s->signal('TERM');
    }],
    'the server, its supervisor stopped' => [\&with_descendant, sub {
        my ($s, $web) = @_;
        kill 'STOP', AMGR::Managed::supervisor($s);
        $s->signal('TERM');
    }],
    'the server, guard and supervisor stopped' => [\&with_descendant, sub {
        my ($s, $web) = @_;
        kill 'STOP', guard_of($web), AMGR::Managed::supervisor($s);
        $s->signal('TERM');
    }],
    'the server, its processes stopped' => [\&with_descendant, sub {
        my ($s, $web) = @_;
        kill 'STOP', grep { $_ != guard_of($web) }
            AMGR::Managed::tree($s, guard_of($web));
        $s->signal('TERM');
    }],
    'the parent, its supervisor stopped' => [\&with_descendant, sub {
        my ($s, $web) = @_;
        kill 'STOP', AMGR::Managed::supervisor($s);
        kill 'KILL', $s->parent_pid;
    }],
    'the parent, guard and supervisor stopped' => [\&with_descendant, sub {
        my ($s, $web) = @_;
        kill 'STOP', guard_of($web), AMGR::Managed::supervisor($s);
        kill 'KILL', $s->parent_pid;
    }],
);

sub with_descendant { my ($s) = @_; return holder($s, 'web') }

sub alone {
    my ($s) = @_;
    return "<ManagedProcess web>\n    Command /bin/sleep 1000\n"
        . "    PassEnv AMGR_TEST_SERVER\n</ManagedProcess>\n";
}

sub start_others {
    my %servers;
    for my $what (sort keys %ended) {
        (my $name = $what) =~ tr/ ,/-/d;
        $servers{$what} = server($name, $ended{$what}[0]);
    }
    return \%servers;
}

# Workers of a parent that was killed go on for a while: httpd's affair.
sub strike {
    my ($servers) = @_;
    for my $what (sort keys %$servers) {
        my $s = $servers->{$what};
        my $web = ready($s, 'web') or next;
        my @tree = whole_tree($s, $what =~ /^all but/ ? 3 : 4);
        $s->{tree} = \@tree;
        $s->{workers} = { map { $_ => 1 } $s->parent_pid,
                          grep { $_ != $tree[0] } $s->children };
        $ended{$what}[1]->($s, $web->{pid});
    }
    return;
}

sub are_ended {
    my ($servers) = @_;
    for my $what (sort keys %$servers) {
        my $s = $servers->{$what};
        ok($s->{tree} && AMGR::Managed::are_gone(END_SEC, @{ $s->{tree} }),
           "$what: nothing is left");
        my @left = $s->all_pids;
        is(join(' ', grep { !$s->{workers}{$_} } @left), '',
           "$what: nothing has come since");
        no_double($s, "of $what");
        kill 'KILL', @left;
        $s->stop;
    }
    return;
}

# A parent is killed, and the server started again while the processes of before
# are still ending.
sub started_again {
    my ($s) = @_;
    my $web = ready($s, 'web');
    my @tree = whole_tree($s, 4);
    my @workers = grep { $_ != $tree[0] } $s->children;
    # The old supervisor's own; and its socket is in the way at first.
    $s->expect_log(qr/AMGR0040: the server is gone/, qr/AH00098: pid file/,
                   qr/AMGR0039: order socket .* something else is there/);
    kill 'KILL', $s->parent_pid, @workers;
    AMGR::Managed::are_gone(SOON, $s->parent_pid);
    $s->reap;
    $s->start;
    my $now = ready($s, 'web');
    isnt($now->{pid}, $web->{pid}, 'a server that was killed starts again');
    ok(AMGR::Managed::are_gone(0, @tree), 'nothing of before is left then');
    no_double($s, 'of a server that was killed');
    ok(-e $s->runtime_file('apache-managed.lock'), 'there is a lock');
    $s->stop_ok;
    ok(!-e $s->runtime_file('apache-managed.lock'), 'it goes with the server');
    return;
}

# ---- a server that goes on --------------------------------------------------

# Burns some time, so that there is something to be counted.
sub busy {
    my ($s) = @_;
    my $script = $s->write('work/busy.pl', 'my $end = (times)[0] + 0.2;'
        . " 1 while (times)[0] < \$end;\nsleep 1 while 1;\n");
    return <<"END";
<ManagedProcess busy>
    Command "$^X" "$script"
    PassEnv AMGR_TEST_SERVER
    @{[QUICK]}
</ManagedProcess>
END
}

# Two processes of one session, both with the lock.
sub pair {
    my ($s) = @_;
    my $dir = AMGR::Managed::state_dir($s);
    my $script = $s->write('work/pair.pl', <<"END");
use strict;
use warnings;
use Fcntl qw(:flock);
open my \$lock, '>>', '$dir/pair.lock' or die "pair.lock: \$!\n";
if (!flock \$lock, LOCK_EX | LOCK_NB) {
    open my \$fh, '>>', '$dir/pair.double';
    exit 9;
}
fork // die "fork: \$!\n";
sleep 1 while 1;
END
    return <<"END";
<ManagedProcess pair>
    Command "$^X" "$script"
    PassEnv AMGR_TEST_SERVER
    @{[QUICK]}
</ManagedProcess>
END
}

# Its attempts last for ever, until the file is there.
sub checked {
    my ($s) = @_;
    my $dir = AMGR::Managed::state_dir($s);
    my $script = $s->write('work/check.sh', <<"END", 0755);
#!/bin/sh
test -e $dir/passes && exit 0
sleep 1000 &
echo \$\$ \$! > $dir/attempt.new
mv $dir/attempt.new $dir/attempt
wait
END
    return <<"END";
<ManagedProcess checked>
    Command /bin/sleep 1000
    PassEnv AMGR_TEST_SERVER
    Liveness exec interval=100ms timeout=10m $script
    @{[QUICK]}
</ManagedProcess>
END
}

# It ends at once, and what comes after it needs that.
sub job {
    return <<"END";
<ManagedProcess job>
    Command /bin/true
    Verify exited 0
    @{[QUICK]}
</ManagedProcess>
END
}

sub config {
    my ($s) = @_;
    return "ManagerControl On\n" . job() . holder($s, 'web')
        . holder($s, 'other', "After web job\n") . busy($s) . checked($s) . pair($s)
        . holder($s, 'down');
}

sub order {
    my ($s, $what) = @_;
    my $token = $s->json('/manager-status/processes')->{token};
    return $s->request('POST', "/manager-status/processes/$what?wait=20",
                       'X-Manager-Token' => $token)->code;
}

# Nobody but its supervisor tells a guard anything.
sub deaf {
    my ($s) = @_;
    my $web = ready($s, 'web');
    my $supervisor = AMGR::Managed::supervisor($s);
    my $guard = guard_of($web->{pid});
    kill $_, $guard for qw(TERM HUP INT USR1 USR2 QUIT ALRM PIPE);
    kill $_, $supervisor for qw(HUP INT USR1 USR2 WINCH QUIT ALRM PIPE);
    $s->graceful or fail('graceful restart');
    is(order($s, 'down/restart'), 200, 'it obeys');
    my $now = ready($s, 'web');
    is($now->{pid}, $web->{pid}, 'signals for guard and supervisor: nothing');
    is(guard_of($now->{pid}), $guard, 'to either of them');
    is(AMGR::Managed::supervisor($s), $supervisor, 'neither has ended');
    is($now->{starts}, 1, 'nothing was started again');
    return;
}

sub killed_process {
    my ($s) = @_;
    my $web = ready($s, 'web');
    my @tree = AMGR::Managed::tree($s, guard_of($web->{pid}));
    is(scalar @tree, 3, 'guard, process and its descendant');
    kill 'KILL', $web->{pid};
    my $now = ready($s, 'web', $web->{pid});
    is("$now->{cause} $now->{signal}", 'signal 9', 'a killed process: how');
    is($now->{exits}{signal}, $web->{exits}{signal} + 1, 'it is counted');
    ok(AMGR::Managed::are_gone(0, @tree), 'its descendant has gone before');
    return;
}

sub killed_guard {
    my ($s) = @_;
    my $web = ready($s, 'web');
    my $guard = guard_of($web->{pid});
    my @tree = AMGR::Managed::tree($s, $guard);
    $s->expect_log(qr/AMGR0035: process web: its guard $guard is gone/);
    kill 'KILL', $guard;
    my $now = ready($s, 'web', $web->{pid});
    is($now->{cause}, 'lost', 'a killed guard: how its process ended');
    is($now->{exits}{lost}, $web->{exits}{lost} + 1, 'it is counted');
    ok(AMGR::Managed::are_gone(0, @tree), 'nothing of it is left');
    return;
}

sub killed_attempt {
    my ($s) = @_;
    my $dir = AMGR::Managed::state_dir($s);
    my ($line, $checked);
    ok(wait_until(sub { ($line) = AMGR::Managed::noted($s, 'attempt') }, SOON,
                  'an attempt'), 'an attempt of a verifier');
    my @attempt = split ' ', $line;
    my $before = AMGR::Managed::one($s, 'checked');
    $s->expect_log(qr/AMGR0036: process checked: Liveness exec: /);
    $s->write('state/passes', '');
    kill 'KILL', $attempt[0];
    ok(wait_until(sub {
        $checked = AMGR::Managed::one($s, 'checked');
        $checked->{checks}{passed} > $before->{checks}{passed};
    }, SOON, 'the next one'), 'when it is killed, the next one is made');
    is($checked->{checks}{failed}, $before->{checks}{failed} + 1,
       'it has failed');
    is($checked->{pid}, $before->{pid}, 'its process is let alone');
    ok(AMGR::Managed::are_gone(5, @attempt), 'what it had started is gone');
    return;
}

sub killed_supervisor {
    my ($s) = @_;
    my $web = ready($s, 'web');
    my @tree = whole_tree($s, TREE);
    $s->expect_log(qr/AMGR0040: supervisor $tree[0] ended by itself/);
    kill 'KILL', $tree[0];
    my $now = ready($s, 'web', $web->{pid});
    is($now->{cause}, 'lost', 'a killed supervisor: how its processes ended');
    is($now->{exits}{lost}, $web->{exits}{lost} + 1, 'it is counted');
    ok(AMGR::Managed::are_gone(0, @tree), 'nothing of before is left');
    return;
}

# Both at once: nobody adopts what the process has started in its session.
sub killed_both {
    my ($s) = @_;
    my $pair = ready($s, 'pair');
    my @tree = whole_tree($s, TREE);
    my @pair = AMGR::Managed::tree($s, guard_of($pair->{pid}));
    is(scalar @pair, 3, 'guard and two processes');
    $s->expect_log(qr/AMGR0040: supervisor $tree[0] ended by itself/,
                   qr/AMGR0040: processes of the last run, .* are killed: 1$/);
    kill 'KILL', $tree[0], $pair[0];
    my $now = ready($s, 'pair', $pair->{pid});
    is($now->{cause}, 'lost', 'supervisor and guard killed: how it ended');
    ok(AMGR::Managed::are_gone(0, @tree), 'nothing of before is left');
    return;
}

# All that it has are let end.
sub told_supervisor {
    my ($s) = @_;
    my $web = ready($s, 'web');
    my @tree = whole_tree($s, TREE);
    unlink AMGR::Managed::state_dir($s) . '/ended';
    $s->expect_log(qr/AMGR0040: supervisor $tree[0] ended by itself/);
    kill 'TERM', $tree[0];
    my $now = ready($s, 'web', $web->{pid});
    is($now->{cause}, 'ordered', 'SIGTERM for the supervisor: how they ended');
    is($now->{exits}{ordered}, $web->{exits}{ordered} + 1, 'it is counted');
    is(join(' ', AMGR::Managed::noted($s, 'ended')), 'other web',
       'in their order');
    ok(AMGR::Managed::are_gone(0, @tree), 'nothing of before is left');
    return;
}

my $others = start_others();
my $again = server('again', sub {
    AMGR::Managed::section($_[0], 'web', '', SLOW) });
my $s = server('kills', \&config);
strike($others);
ready($s, $_) for qw(web other busy checked pair down);
deaf($s);
is(order($s, 'down/stop'), 200, 'one is stopped by order');
ok(wait_until(sub { AMGR::Managed::one($s, 'busy')->{cpu_seconds} >= 0.2 },
              SOON, 'its time'), 'there is time to be counted');
for my $part ([killed_process => \&killed_process],
              [killed_supervisor => \&killed_supervisor],
              [killed_attempt => \&killed_attempt],
              [told_supervisor => \&told_supervisor],
              [killed_guard => \&killed_guard],
              [killed_both => \&killed_both]) {
    my ($what, $sub) = @$part;
    my $before = counters($s);
    $sub->($s);
    ready($s, $_) for qw(web other busy checked pair);
    never_less($s, $before, "($what)");
    adds_up($s, "($what)");
    no_double($s, "($what)");
    is(AMGR::Managed::one($s, 'down')->{state}, 'STOPPED',
       "who was stopped by order stays so ($what)");
    my $job = AMGR::Managed::one($s, 'job');
    is("$job->{state} $job->{starts}", 'EXITED 1',
       "what is done is not done again ($what)");
}
started_again($again);
are_ended($others);
$s->stop_ok;
done_testing();
