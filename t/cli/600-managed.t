#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Orders of the command line tool for the managed processes of a real server:
# start, stop, restart and status, what they say, what comes of it, and who may.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Cli qw(cli);
use AMGR::Control qw(order);
use AMGR::Httpd qw(wait_until);
use AMGR::Managed;
use Apache::Test qw(-withtestmore);
use JSON::PP ();

my $s = AMGR::Httpd->new(mpm => 'event', name => 'managed');
AMGR::Managed::prepare($s);
$s->set_config(
    AMGR::Managed::section($s, 'db')
    . AMGR::Managed::section($s, 'web', 'After db')
    . AMGR::Managed::section($s, 'slow', 'StopTimeout 20s', 1)
    . <<'END_OF_CONFIG');
<ManagedProcess bad>
    Command /nonexistent/program
    RestartDelay 100ms
    RestartLimit 2 in 60s
</ManagedProcess>
<ManagedProcess once>
    Command /bin/true
    Verify exited 0
    Restart never
</ManagedProcess>
ManagerSocket apache-manager.sock
END_OF_CONFIG
$s->expect_log(qr/AMGR003[45]: process bad: /);
$s->start;
my @url = ('--url', $s->url('/manager-status'));

sub tool { return cli(@url, @_) }
sub pid { my $p = AMGR::Managed::one($s, $_[0]); return $p && $p->{pid} }

# One run: its exit code, what it says, and nothing besides.
sub says {
    my ($args, $code, $out, $name) = @_;
    my $r = tool(@$args);
    my $ok = $r->{code} == $code && $r->{err} eq ''
        && (ref $out ? $r->{out} =~ $out : $r->{out} eq $out);
    ok($ok, $name // "@$args")
        || diag("exit code $r->{code}: $r->{out}$r->{err}");
    return $r;
}

sub complains {
    my ($args, $code, $err, $name) = @_;
    my $r = ref $args->[0] ? cli({ %{ $args->[0] } }, @{$args}[1 .. $#$args])
                           : tool(@$args);
    my $ok = $r->{code} == $code && $r->{out} eq ''
        && $r->{err} =~ /\Aapache-manager: $err\n\z/;
    ok($ok, $name // "@$args")
        || diag("exit code $r->{code}: $r->{out}$r->{err}");
    return;
}

AMGR::Managed::wait_for($s, $_->[0], $_->[1])
    for ['web', 'READY'], ['slow', 'READY'], ['bad', 'FATAL'];

# Orders about workers are taken at another socket, side by side with these.
sub workers_order {
    my $file = $s->runtime_file('apache-manager.sock');
    return wait_until(sub { -S $file }, 10, $file)
        && order($file, { order => 'tick' });
}

# ---- orders ------------------------------------------------------------------

ok(workers_order()->{ok}, 'orders about workers are taken');
my $web = pid('web');
says(['stop', 'web'], 0, "web: stopped\n");
ok(!AMGR::Httpd::is_alive($web), 'it has ended');
says(['stop', 'web'], 0, "web: ERROR (not running)\n", 'it is not there');
says(['start', 'web'], 0, "web: started\n");
my $again = pid('web');
ok($again && $again != $web, 'it runs anew');
says(['start', 'web'], 0, "web: ERROR (already started)\n", 'it runs');
is(pid('web'), $again, 'and is the same one');

my $db = pid('db');
says(['restart', 'web', 'db', 'web'], 0, "web: restarted\ndb: restarted\n",
     'two at once, of which one comes after the other');
isnt(pid('db'), $db, 'one is another');
isnt(pid('web'), $again, 'and so is the other');

says(['start', 'bad'], 1, qr{\Abad: ERROR \(FATAL: .*nonexistent.*\)\n\z},
     'one that cannot be started');
says(['start', 'once'], 0, "once: started\n", 'one that ends as it should');
says(['restart', 'once'], 0, "once: restarted\n", 'and again');

# To come after another is to be started after it, no more.
my $alone = pid('web');
says(['stop', 'db'], 0, "db: stopped\n", 'one that another came after');
says(['restart', 'db'], 0, "db: restarted\n", 'is started again');
my $left = AMGR::Managed::one($s, 'web');
is("$left->{state} $left->{pid}", "READY $alone", 'that one stays as it is');

# What others come after is stopped last.
unlink AMGR::Managed::state_dir($s) . '/ended';
my @pids = map { pid($_) } qw(db web);
says(['stop', 'db', 'web'], 0, "web: stopped\ndb: stopped\n",
     'stopped in the reverse order');
is(join(' ', AMGR::Managed::noted($s, 'ended')), 'web db', 'and so they ended');
ok(AMGR::Managed::are_gone(0, @pids), 'both are gone');

# ---- time ---------------------------------------------------------------------

my $r = says(['start', 'web', 'db', '--wait', '0'], 0,
             qr/\Aweb: start ordered \(\w+.*\)\ndb: start ordered \(\w+\)\n\z/,
             'without waiting');
ok(AMGR::Managed::wait_for($s, 'web', 'READY'), 'it comes all the same');
$r = says(['--wait', '200ms', 'stop', 'slow'], 3,
          "slow: ERROR (not stopped after 200ms, STOPPING: stopped by order)\n",
          'not in time');
cmp_ok($r->{seconds}, '<', 2, 'and nobody has waited for it');
says(['stop', 'slow'], 0, "slow: stopped\n", 'now it is waited for');
says(['start', 'slow', '--wait=0'], 0, qr/\Aslow: start ordered \(\w+\)\n\z/);

# ---- what is known of one -----------------------------------------------------

says(['status', 'web'], 0,
     qr/\Aweb: READY\n.*^ - After: db\n - Process: @{[pid('web')]}\n/sm);
says(['status', 'bad', 'once'], 3,
     qr/\Abad: FATAL\n - Why: .*\n.*\n\nonce: EXITED\n.*Last end: exited with code 0\n/s,
     'one that should run, and does not');
$r = says(['status', 'bad', 'web', '--json'], 3, qr/\A\{/, 'two in JSON');
my $json = JSON::PP::decode_json($r->{out});
is_deeply([$json->{count}, map { "$_->{name} $_->{state}" }
               @{ $json->{processes} }],
          [2, 'bad FATAL', 'web READY'], '... and no other');
is(JSON::PP::decode_json(tool('status', '--json')->{out})->{count}, 5,
   'all of them');
complains(['status', 'web', 'nobody'], 1, qr/no managed process .*/,
          'one of two is unknown: none is told of');
complains(['restart', 'web', '--json'], 2, qr/restart does not answer in JSON.*/,
          'orders are not answered in JSON');
complains(['status', 'nobody'], 1,
          qr/no managed process has the name 'nobody', there are: db, web, slow, bad, once/);
my $table = tool('--processes');
$r = tool('status');
is($r->{code}, $table->{code}, 'status alone is --processes');
like($r->{out}, qr/^web +READY\b/m, '... a line for each');

# ---- what is wrong -------------------------------------------------------------

my $before = pid('db');
complains(['stop', 'db', 'nobody'], 1,
          qr/no managed process has the name 'nobody', there are: .*/,
          'an unknown name');
is(pid('db'), $before, 'and nothing is ordered');
$r = cli(@url, '-n', 'stop', 'all');
like($r->{out}, qr/^db: would stop \(READY\)$/m, 'a dry run');
is(pid('db'), $before, 'orders nothing');
complains([{}, '--url', 'http://192.0.2.7/manager-status', 'stop', 'db'], 1,
          qr/192\.0\.2\.7 is not this machine: orders are given on .*/,
          'another machine');
if ($> == 0) {
    complains([{ as_user => 65534 }, @url, 'stop', 'db'], 4,
              qr/this user may not .*/, 'an ordinary user may not');
    is(pid('db'), $before, '... and nothing is done');
    $r = cli({ as_user => 65534 }, @url, 'status', 'db');
    like($r->{out}, qr/\Adb: READY\n/, '... but may ask the page');
}

# ---- nobody listens, or answers ------------------------------------------------

my $supervisor = AMGR::Managed::supervisor($s);
kill 'STOP', $supervisor;
complains(['stop', 'db'], 1,
          qr/no answer from \S+: the order may have been carried out/,
          'a supervisor that hangs');
kill 'CONT', $supervisor;
ok(wait_until(sub { (pid('db') // 0) == $before }, 10, 'the page'),
   'who hung up before is not obeyed');
my $socket = $s->runtime_file('apache-managed.sock');
unlink $socket or die "$socket: $!\n";
complains(['stop', 'db'], 1, qr/nobody takes orders at \Q$socket\E: .*/,
          'its socket is gone');
ok(wait_until(sub { -S $socket }, 10, 'the socket'), 'and is made anew');
says(['restart', 'db'], 0, "db: restarted\n", 'where orders are taken again');
ok(workers_order()->{ok}, 'and so are those about workers still');

$r = says(['stop', 'all'], 0,
          qr/\Aweb: stopped\nslow: stopped\nbad: stopped\nonce: ERROR \(not running\)\ndb: stopped\n\z/,
          'all of them');
my @orders = grep { /AMGR0039: / } split /\n/, $s->log_text;
like(join("\n", @orders),
     qr/notice.*process db: stop ordered by process \d+ \(uid $>\)$/m,
     'who ordered what is in the log');
is(join(' ', AMGR::Managed::noted($s, "$_.double")), '',
   "$_ ran once at a time") for qw(db web slow);
$s->stop_ok;

my $none = AMGR::Httpd->new(mpm => 'prefork', name => 'none')->start;
my @none = ('--url', $none->url('/manager-status'));
complains([{}, @none, 'stop', 'db'], 1,
          qr/the server with pid \d+ has no managed processes/,
          'a server without');
complains([{}, @none, 'status', 'db'], 1,
          qr/the server has no managed processes/, '... has no status of one');
$none->stop_ok;
done_testing();
