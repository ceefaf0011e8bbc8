#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A program of ManagerKillCommand that cannot be run, whatever the step at which
# that shows: the retirement goes on without it, it is counted, told once with
# the step and the system's word for it, and nothing of it stays.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Control qw(retire_one);
use AMGR::Httpd qw(wait_until);
use AMGR::Inject;
use Apache::Test qw(-withtestmore);

use constant SOON => 30;

# Call, function, errno, what is told.  What only root does comes last.
my @cases = (
    [qw(pipe2 spawn EMFILE), 'no pipe'],
    [qw(fork spawn EAGAIN), 'it cannot be forked'],
    [qw(open take_descriptors EMFILE), 'no /dev/null to read from'],
    [qw(chdir become_program EACCES), 'no directory to run in'],
    [qw(dup2 take_descriptors EMFILE), 'no /dev/null to read from'],
    [qw(prctl become_program EINVAL), 'it would outlive the ticker'],
    [qw(execve become_program ENOMEM), 'it cannot be executed'],
    AMGR::Httpd::is_root() ? (
        [qw(setgroups become_user EPERM), "httpd's Group cannot be taken"],
        [qw(setuid become_user EAGAIN), "httpd's User cannot be taken"],
        [qw(setgid become_user EINVAL), "httpd's Group cannot be taken"],
    ) : (),
);

my $s = AMGR::Httpd->new(mpm => 'event', interval => '200ms',
                         config => <<'END');
ManagerMinAge 100ms
ManagerStormLimit Off
ManagerSocket control.sock
ManagerKillCommand before /bin/true
END
my $inject = AMGR::Inject->new($s->path('work/inject'),
                               'mod_apache_manager.so');
$s->{env} = $inject->env;
$s->start;

sub errors { return $s->json->{manager}{errors}{command} }

# Where the module calls this, by the line: { key }.
sub site {
    my ($call, $function) = @_;
    my @sites = grep { $_->{call} eq $call && $_->{role} eq 'ticker' }
        $inject->sites;
    my $where = AMGR::Inject::where(AMGR::Httpd::module_file(),
                                    map { $_->{offset} } @sites);
    my ($first) = sort { line($where, $a) <=> line($where, $b) }
        grep { $where->{ $_->{offset} } =~ m{^$function src/httpd/command\.c:} }
        @sites;
    return $first;
}

sub line {
    my ($where, $site) = @_;
    return ($where->{ $site->{offset} } =~ /:(\d+)/)[0];
}

ok(retire_one($s), 'a program that runs: a worker is retired');
ok(wait_until(sub { $s->log_text =~ /before command of .* exit status 0/ },
              SOON, 'its end'), 'it runs');
is(errors(), 0, 'no error');

my $failed = 0;
for my $case (@cases) {
    my ($call, $function, $how, $text) = @$case;
    my $site = site($call, $function);
    ok($site, "$call in $function") or next;
    $s->mark_log;
    $inject->arm(site => $site->{key}, how => $how, run => 0);
    ok(retire_one($s), "$call: $how: a worker is retired");
    $failed++;
    my $word = do { local $! = Errno->can($how)->(); "$!" };
    my $told = qr/\Q$word\E: AMGR0029: before command of worker \d+: \/bin\/true was not run: \Q$text\E$/;
    ok(wait_until(sub { $s->log_lines($told) }, SOON, 'its line'),
       "$call: told") or diag($s->log_lines);
    cmp_ok($inject->disarm, '>', 0, "$call: it failed");
    cmp_ok(errors(), '>=', $failed, "$call: counted");
    is(scalar(my @l = $s->log_lines(qr/was not run/)), 1, "$call: once");
    $s->expect_log($told);
}

$s->mark_log;
ok(retire_one($s), 'one that runs again: a worker is retired');
ok(wait_until(sub { $s->log_lines(qr/before command of .* exit status 0/) },
              SOON, 'its end'), 'it runs again');
my $ticker = $s->ticker_pid;
ok(wait_until(sub { !$s->children($ticker) }, SOON, 'none'), 'nothing stays');

# Somebody else has reaped it: the first has not, the second could not look.
for my $call ([qw(waitpid reap)], [qw(waitid has_ended)]) {
    my $site = site(@$call);
    ok($site, "@$call[0] in @$call[1]") or next;
    my $before = errors();
    $s->mark_log;
    $inject->arm(site => $site->{key}, how => 'ECHILD', run => 0);
    ok(retire_one($s), "$call->[0]: ECHILD: a worker is retired");
    my $told = qr/AMGR0028: before command of worker \d+: process \d+ is gone after \d+ ms, and how it ended is unknown, since another has reaped it$/;
    ok(wait_until(sub { $s->log_lines($told) }, SOON, 'its line'),
       "$call->[0]: told") or diag($s->log_lines);
    cmp_ok($inject->disarm, '>', 0, "$call->[0]: it failed");
    cmp_ok(errors(), '>', $before, "$call->[0]: counted");
    $s->expect_log($told);
}
$s->stop_ok;
reaped_at_the_end();
done_testing();

# The ticker ends as another has reaped its program, whose pid may be a
# stranger's by then: he gets no signal.
sub reaped_at_the_end {
    my $last = AMGR::Httpd->new(mpm => 'event', interval => '200ms');
    my $dir = $last->path('work/told');
    mkdir $dir or die "$dir: $!\n";
    chmod 0777, $dir or die "$dir: $!\n";
    my $program = $last->write('work/program', <<"END", 0755);
#!/bin/sh
sleep 600 &
echo \$! >$dir/new
mv $dir/new $dir/pid
wait
END
    $last->{config} .= <<"END";
ManagerMinAge 100ms
ManagerStormLimit Off
ManagerSocket control.sock
ManagerKillCommand after $program
END
    my $fault = AMGR::Inject->new($last->path('work/inject'),
                                  'mod_apache_manager.so');
    $last->{env} = $fault->env;
    $last->start;
    ok(retire_one($last), 'a program that goes on: a worker is retired');
    ok(wait_until(sub { -e "$dir/pid" }, SOON, 'it'), 'it runs');
    my ($bystander) = AMGR::Httpd::slurp("$dir/pid") =~ /(\d+)/;
    my $old = $last->ticker_pid;
    # Between two ticks, so that its end is the next thing it does.
    kill 'STOP', $old;
    $fault->arm(call => 'waitid', how => 'ECHILD', roles => ['ticker'],
                run => 0);
    kill 'TERM', $old;
    kill 'CONT', $old;
    ok(wait_until(sub { !AMGR::Httpd::is_alive($old) }, SOON, 'its end'),
       'the ticker ends');
    cmp_ok($fault->disarm, '>', 0, 'and was told that it has no such child');
    ok($last->wait_ticks(2), 'another ticks');
    ok(AMGR::Httpd::is_alive($bystander),
       'whoever is in its group gets no signal');
    kill 'KILL', $bystander;
    $last->expect_log(qr/AMGR0011: ticker $old ended by itself/,
                      qr/AMGR0028: after command .* is unknown/);
    $last->stop_ok;
    return;
}
