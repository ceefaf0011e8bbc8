# SPDX-License-Identifier: Apache-2.0
#
# Managed processes over the life of a server: restarts of every kind, other
# configurations, the end of the supervisor, of the server and of its parent.
package AMGR::Case::Managed;

use strict;
use warnings;

use AMGR::Httpd qw(wait_until);
use AMGR::Managed;
use Apache::Test qw(-withtestmore);
use Time::HiRes qw(time);

sub run {
    my ($mpm) = @_;
    my $s = server($mpm);
    my @first = starts($s);
    restarts($s, @first);
    descriptors($s);
    other_sections($s);
    rotation($s);
    dead_supervisor($s);
    no_section($s);
    stops($s);
    dead_parent($mpm);
    bad_restart($mpm);
    done_testing();
    return;
}

sub sections {
    my ($s, $more, @args) = @_;
    return AMGR::Managed::section($s, 'second', "After first\n" . ($more // ''))
        . AMGR::Managed::section($s, 'first', '', @args);
}

sub server {
    my ($mpm, $more, @args) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, modules => ['wsgi'],
                             name => $mpm . ($more // '') . '-managed');
    AMGR::Managed::prepare($s);
    $s->{common} = "WSGIDaemonProcess shop processes=1 threads=1\n";
    $s->set_config($s->{common} . sections($s, '', @args));
    return $s->start;
}

sub pids {
    my ($s, @names) = @_;
    return map { AMGR::Managed::wait_for($s, $_, 'READY')->{pid} } @names;
}

sub no_double {
    my ($s, $when) = @_;
    return is(join(' ', map { AMGR::Managed::noted($s, "$_.double") }
                   qw(first second third)), '', "no second copy $when");
}

sub starts {
    my ($s) = @_;
    my $supervisor = AMGR::Managed::supervisor($s);
    ok($supervisor, 'there is one supervisor');
    my ($first, $second) = pids($s, qw(first second));
    ok($first && $second && $first != $second, 'both processes are ready');
    my $all = AMGR::Managed::all($s);
    cmp_ok($all->{second}{started}, '>=', $all->{first}{ready_at},
           'what comes after another is started when that is ready');
    is($all->{first}{id}, 2, 'they are numbered as they stand');
    is(scalar(AMGR::Managed::supervisors($s)), 1, 'still one supervisor');
    return ($supervisor, $first, $second);
}

sub same {
    my ($s, $what, $supervisor, @pids) = @_;
    is("@{[AMGR::Managed::supervisors($s)]}", $supervisor,
       "$what: the same supervisor");
    is("@{[pids($s, qw(first second))]}", "@pids", "$what: the same processes");
    return;
}

sub restarts {
    my ($s, @before) = @_;
    ok($s->graceful, 'graceful restart');
    same($s, 'after a graceful restart', @before);
    ok($s->restart, 'restart');
    same($s, 'after a restart', @before);
    is(AMGR::Managed::one($s, $_)->{starts}, 1, "$_ was started once")
        for qw(first second);
    no_double($s, 'after restarts');
    return;
}

# What stands behind the descriptors of a process that are sockets and pipes.
sub ends {
    my ($pid) = @_;
    return grep { /^(?:socket|pipe):/ }
        map { readlink($_) // () } glob "/proc/$pid/fd/*";
}

# No child of httpd's has what leads to the supervisor, and none of it is lost
# by restarts.
sub descriptors {
    my ($s) = @_;
    my ($supervisor) = AMGR::Managed::supervisors($s);
    my $parent = $s->parent_pid;
    my @children = grep { $_ != $supervisor } $s->children;
    cmp_ok(scalar @children, '>', 1, 'workers and a WSGI daemon');
    my %parents = map { $_ => 1 } ends($parent);
    my %below = map { $_ => 1 } ends($supervisor);
    my %workers = map { $_ => 1 } map { ends($_) } @children;
    my @shared = grep { $below{$_} } sort keys %parents;
    # The pipe is between it and the parent; of a pair each end has a name of
    # its own, so the parent's is the one that the workers have not got.
    cmp_ok(scalar @shared, '>', 0, 'parent and supervisor share a pipe');
    is("@{[grep { $workers{$_} } @shared]}", '', 'which no child has');
    my @own = grep { /^socket/ && !$workers{$_} } sort keys %parents;
    is(scalar @own, 1, "of the parent's sockets no child has the one to the "
       . 'supervisor');
    my $listens = qr/^socket/;
    is("@{[grep { $parents{$_} && $_ =~ $listens } sort keys %below]}", '',
       'and the supervisor has no listener');
    # While a configuration is on its way there are more, for a moment; what is
    # lost stays.
    my $before = counts($parent, $supervisor);
    wait_until(sub { my $now = counts($parent, $supervisor);
                     my $settled = $now eq $before;
                     $before = $now;
                     return $settled; }, 10, 'as many descriptors as before');
    $s->graceful for 1 .. 3;
    ok(wait_until(sub { counts($parent, $supervisor) eq $before }, 10,
                  'no more descriptors'), 'restarts leave no descriptor behind')
        or diag("$before, now " . counts($parent, $supervisor));
    return;
}

sub counts {
    return join ' ', map { scalar(() = glob "/proc/$_/fd/*") } @_;
}

sub other_sections {
    my ($s) = @_;
    my ($first, $second) = pids($s, qw(first second));
    my $common = $s->{common};
    $s->set_config($common . sections($s, 'Environment CHANGED yes')
                   . AMGR::Managed::section($s, 'third'));
    ok($s->graceful, 'graceful restart with a changed and a new section');
    my $changed = AMGR::Managed::wait_for($s, 'second', 'READY', $second);
    ok($changed && $changed->{pid} != $second, 'the changed one is restarted');
    my ($third) = pids($s, 'third');
    ok($third, 'the new one is started');
    is("@{[pids($s, 'first')]}", $first, 'the other one is left alone');
    $s->set_config($common . sections($s, 'Environment CHANGED yes'));
    ok($s->graceful, 'graceful restart without the new section');
    ok(AMGR::Managed::are_gone(20, $third), 'its process is stopped');
    ok(wait_until(sub { !AMGR::Managed::one($s, 'third') }, 20,
                  'it is not shown'), 'and not shown any more');
    is("@{[pids($s, qw(first second))]}", "$first $changed->{pid}",
       'the others are left alone');
    no_double($s, 'with other sections');
    return;
}

# Lines go to the new file, those of guards, too.
sub rotation {
    my ($s) = @_;
    my ($first) = pids($s, 'first');
    rename $s->log_file, $s->path('logs/old.log') or die "rename: $!\n";
    ok($s->graceful, 'graceful restart after a rotation');
    is("@{[pids($s, 'first')]}", $first, 'the process is the same');
    kill 'KILL', $first;
    ok(AMGR::Managed::wait_for($s, 'first', 'READY', $first),
       'one that was killed is started again');
    ok(wait_until(sub { $s->log_lines(qr/AMGR0034: process first: .*READY/) },
                  20, 'a line'), 'and the new log says so');
    ok(wait_until(sub { $s->log_lines(qr/AMGR0037: process first: first runs/) },
                  20, 'a line of its own'), 'and what it wrote is there');
    no_double($s, 'after a kill');
    return;
}

sub dead_supervisor {
    my ($s) = @_;
    my ($old) = AMGR::Managed::supervisors($s);
    my @pids = pids($s, qw(first second));
    my @tree = AMGR::Managed::tree($s, $old);
    cmp_ok(scalar @tree, '>=', 7, 'supervisor, guards, processes and theirs');
    $s->expect_log(qr/AMGR0040: supervisor $old ended by itself/);
    kill 'KILL', $old;
    my $since = time;
    my $new = AMGR::Managed::supervisor($s, $old);
    ok($new, 'a supervisor that was killed is replaced');
    cmp_ok(time - $since, '<', 5, 'soon');
    ok(AMGR::Managed::wait_for($s, 'first', 'READY', $pids[0]),
       'it starts the processes anew');
    ok(AMGR::Managed::wait_for($s, 'second', 'READY', $pids[1]), 'all of them');
    ok(AMGR::Managed::are_gone(1, @tree), 'nothing of before is left');
    no_double($s, 'after the end of a supervisor');
    is(scalar(AMGR::Managed::supervisors($s)), 1, 'and there is one of it');
    return;
}

sub no_section {
    my ($s) = @_;
    my ($old) = AMGR::Managed::supervisors($s);
    my @tree = AMGR::Managed::tree($s, $old);
    $s->set_config($s->{common});
    ok($s->graceful, 'graceful restart without any section');
    ok(AMGR::Managed::are_gone(20, @tree), 'supervisor and processes end');
    is_deeply(AMGR::Managed::all($s), {}, 'nothing is shown');
    $s->set_config($s->{common} . sections($s));
    ok($s->graceful, 'graceful restart with sections');
    ok(AMGR::Managed::supervisor($s, $old), 'a supervisor is started');
    my @pids = pids($s, qw(first second));
    is(scalar @pids, 2, 'and so are the processes');
    no_double($s, 'when they come back');
    return;
}

sub stops {
    my ($s) = @_;
    my ($supervisor) = AMGR::Managed::supervisors($s);
    my @tree = AMGR::Managed::tree($s, $supervisor);
    unlink AMGR::Managed::state_dir($s) . '/ended';
    $s->stop_ok;
    ok(AMGR::Managed::are_gone(0, @tree), 'all end with the server');
    is("@{[AMGR::Managed::noted($s, 'ended')]}", 'second first',
       'in the reverse order, and are let end by themselves');
    return;
}

sub dead_parent {
    my ($mpm) = @_;
    my $s = server($mpm, '-dead', 0, 'stubborn');
    pids($s, qw(first second));
    my @tree = AMGR::Managed::tree($s, AMGR::Managed::supervisor($s));
    cmp_ok(scalar @tree, '>=', 7, 'processes run');
    kill 'KILL', $s->parent_pid;
    ok(AMGR::Managed::are_gone(5, @tree), 'none outlives a killed parent');
    $s->stop;
    return;
}

# A configuration that cannot be taken ends httpd, and then each process has
# its StopTimeout all the same: longer than what it gets from a parent that is
# killed.
sub bad_restart {
    my ($mpm) = @_;
    return if $mpm ne 'event';
    my $s = AMGR::Httpd->new(mpm => $mpm, name => "$mpm-bad");
    AMGR::Managed::prepare($s);
    $s->set_config(AMGR::Managed::section($s, 'slow', '', 4));
    $s->start;
    pids($s, 'slow');
    my @tree = AMGR::Managed::tree($s, AMGR::Managed::supervisor($s));
    $s->set_config(AMGR::Managed::section($s, 'slow', 'After nobody'));
    $s->signal('HUP');
    ok(AMGR::Managed::are_gone(20, $s->parent_pid, @tree),
       'a restart with contradictory sections ends all');
    is("@{[AMGR::Managed::noted($s, 'ended')]}", 'slow',
       'and lets a process take its time');
    $s->stop;
    return;
}

1;
