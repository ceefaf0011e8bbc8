#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Orders and configurations that come while others are being carried out, from
# several sides at once: the last one counts, and there are never two copies.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Cli qw(cli);
use AMGR::Httpd qw(wait_until);
use AMGR::Managed;
use AMGR::Request;
use Apache::Test qw(-withtestmore);
use POSIX ();

use constant {
    SOON    => 30,
    BY_HTTP => 35,
    BY_TOOL => 15,
};

# As many orders as there are may wait.
my $s = AMGR::Httpd->new(mpm => 'event', name => 'orders',
                         mpm_config => <<'END');
StartServers 2
ThreadsPerChild 32
ThreadLimit 32
MinSpareThreads 32
MaxSpareThreads 128
ServerLimit 8
MaxRequestWorkers 128
END
AMGR::Managed::prepare($s);
$s->expect_log(qr/AMGR0045: .* start quick .* are shut down until /);
my $passes = $s->write('work/passes', '');


# One that does not end before it may, and is to be seen while it is ending: so
# it is not ready before it hears that it shall.
my $dir = AMGR::Managed::state_dir($s);
my $script = $s->write('work/slow.pl', <<"END");
use strict;
use warnings;
use Fcntl qw(:flock);
sub note {
    open my \$fh, '>>', "$dir/\$_[0]" or die "$dir/\$_[0]: \$!\n";
    syswrite \$fh, "\$_[1]\n";
}
open my \$lock, '>>', '$dir/slow.lock' or die "slow.lock: \$!\n";
if (!flock \$lock, LOCK_EX | LOCK_NB) {
    note('slow.double', \$\$);
    exit 9;
}
\$SIG{TERM} = sub {
    select undef, undef, undef, 0.02 until -e '$dir/free';
    unlink '$dir/slow.up';
    note('ended', 'slow');
    exit 0;
};
note('slow.up', \$\$);
sleep 1 while 1;
END

sub hold { unlink "$dir/free"; return }
sub free { return $s->write('state/free', '') }
free();

# What is configured: a list of [name, lines].
sub configure {
    my (@sections) = @_;
    my $text = "ManagerControl On\n";
    for (@sections) {
        my ($name, $lines) = @$_;
        my $file = $name eq 'slow' ? "$dir/slow.up" : $passes;
        $lines = ($lines // '') . "    Verify file $file interval=100ms\n";
        $text .= $name ne 'slow' ? AMGR::Managed::section($s, $name, $lines)
            : <<"END";
<ManagedProcess slow>
    Command "$^X" "$script"
    PassEnv AMGR_TEST_SERVER
    StopTimeout 10m
    $lines
</ManagedProcess>
END
    }
    $s->set_config($text);
    return;
}

sub reload {
    configure(@_);
    return $s->graceful || fail('graceful restart');
}

sub one { return AMGR::Managed::one($s, $_[0]) }
sub ready { return AMGR::Managed::wait_for($s, $_[0], 'READY', $_[1]) }

sub token { return $s->json('/manager-status/processes')->{token} }

sub order {
    my ($what) = @_;
    return $s->request('POST', "/manager-status/processes/$what",
                       'X-Manager-Token' => token())->code;
}

# An order that is waited for beside other things.
sub request {
    my ($what, $token) = @_;
    return AMGR::Request->new($s->port,
        "POST /manager-status/processes/$what HTTP/1.1\r\nHost: localhost\r\n"
        . 'X-Manager-Token: ' . ($token // token())
        . "\r\nConnection: close\r\n\r\n");
}

sub no_double {
    my ($when) = @_;
    my @found = glob AMGR::Managed::state_dir($s) . '/*.double';
    return is("@found", '', "no second copy: $when");
}

# The value of a variable in the environment of a process.
sub variable {
    my ($pid, $name) = @_;
    my ($value) = ("\0" . AMGR::Httpd::slurp("/proc/$pid/environ"))
        =~ /\0$name=([^\0]*)/;
    return $value;
}

configure(['slow'], ['quick']);
$s->start;
ready($_) for qw(slow quick);

# ---- one order after the other ----------------------------------------------

{
    my $slow = one('slow');
    hold();
    is(order('slow/restart'), 202, 'a restart that takes a while');
    is(one('slow')->{state}, 'STOPPING', 'is under way');
    is(order('slow/stop'), 202, 'and a stop is ordered');
    free();
    is(order('slow/stop?wait=20'), 200, 'and waited for');
    my $now = one('slow');
    is("@$now{qw(state want starts)}", "STOPPED down $slow->{starts}",
       'it is not started then');
    is(order('slow/start?wait=20'), 200, 'it can be started');
    $slow = one('slow');
    hold();
    is(order('slow/stop'), 202, 'a stop that takes a while');
    is(order('slow/restart'), 202, 'and a restart meanwhile');
    is(one('slow')->{state}, 'STOPPING', 'while it is ending');
    free();
    $now = ready('slow', $slow->{pid});
    is($now->{starts}, $slow->{starts} + 1, 'it is started, once');
    hold();
    is(order('slow/stop'), 202, 'a stop again');
    is(order('slow/start'), 202, 'and a start');
    is(order('slow/stop'), 202, 'and a stop');
    free();
    is(order('slow/stop?wait=20'), 200, 'it ends');
    is(one('slow')->{state}, 'STOPPED', 'the last one counts');
    is(order('slow/start?wait=20'), 200, 'as does a start');
    hold();
    my $waiting = request('slow/stop?wait=600');
    ok(wait_until(sub {
        $waiting->pump(0);
        return one('slow')->{state} eq 'STOPPING';
    }, SOON, 'a stop'), 'whoever waits for a stop');
    is(order('slow/start'), 202, 'that is overtaken by a start');
    free();
    $waiting->wait(SOON);
    like($waiting->bytes, qr{^HTTP/1\.1 200 }, 'waits no longer');
    ready('slow');
    no_double('orders during others');
}

# ---- many at once -----------------------------------------------------------

# The tool talks to the supervisor over its socket, HTTP by a worker.
sub by_tool {
    my ($verb) = @_;
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        my $r = cli('--url', $s->url('/manager-status'), $verb, 'quick');
        POSIX::_exit($r->{out} =~ /^quick: / ? 0 : 1);
    }
    return $pid;
}

{
    my $token = token();
    my @verbs = qw(restart start stop restart restart);
    my @tools = map { by_tool($verbs[$_ % @verbs]) } 1 .. BY_TOOL;
    my @requests = map {
        request("quick/$verbs[$_ % @verbs]?wait=600", $token)
    } 1 .. BY_HTTP;
    $_->wait(SOON) for @requests;
    is(scalar(grep { $_->bytes =~ m{^HTTP/1\.1 200 } } @requests), BY_HTTP,
       'very many orders over HTTP are settled');
    my $answered = 0;
    for my $pid (@tools) {
        waitpid $pid, 0;
        $answered += $? == 0;
    }
    is($answered, BY_TOOL, 'and so are those of the tool');
    is(order('quick/restart?wait=60'), 200, 'and one more after them');
    my $quick = ready('quick');
    my $ends = 0;
    $ends += $_ for values %{ $quick->{exits} };
    is($quick->{starts} - $ends, 1, 'each start but the last has an end');
    # What verifies it may have passed before its program has begun.
    my @ran;
    ok(wait_until(sub {
        @ran = AMGR::Managed::noted($s, 'quick.pids');
        return @ran && $ran[-1] == $quick->{pid};
    }, SOON, 'its note'), 'the last one runs');
    cmp_ok(scalar @ran, '<=', $quick->{starts}, 'nothing was started besides');
    no_double('very many orders');
}

# ---- all for good -----------------------------------------------------------

sub is_shut {
    my ($when) = @_;
    ok(wait_until(sub {
        my $all = AMGR::Managed::all($s);
        keys %$all == 2 && !grep { $_->{state} ne 'STOPPED' } values %$all;
    }, SOON, 'all are stopped'), "all are stopped $when");
    return is(order('quick/start'), 403, "and no order is obeyed $when");
}

{
    is(order('quick/stop?wait=20'), 200, 'one is stopped by an order');
    is($s->request('DELETE', '/manager-status/processes',
                   'X-Manager-Token' => token())->code, 202, 'then all are');
    is_shut('by DELETE');
    my $old = AMGR::Managed::supervisor($s);
    $s->expect_log(qr/AMGR0040: supervisor $old ended by itself/);
    kill 'KILL', $old;
    AMGR::Managed::supervisor($s, $old);
    is_shut('after their supervisor was killed');
    $s->graceful or fail('graceful restart');
    ok(ready('slow'), 'a graceful restart starts them again');
    is(order('quick/start?wait=20'), 200, 'and orders are obeyed');

    is(order('quick/stop?wait=20'), 200, 'one is stopped by an order');
    is($s->request('DELETE', '/manager-status/processes',
                   'X-Manager-Token' => token())->code, 202, 'then all are');
    is_shut('once more');
    $s->restart or fail('restart');
    ok(ready('slow'), 'a restart starts them again');
    is(one('quick')->{state}, 'STOPPED', 'but not who was stopped by itself');
    is(order('quick/start?wait=20'), 200, 'whom an order starts');
    no_double('all stopped and started');
}

# Nothing but the end of a supervisor that has nothing left to do.
{
    is(order("$_/stop?wait=20"), 200, "$_ is stopped by an order")
        for qw(slow quick);
    my $old = AMGR::Managed::supervisor($s);
    $s->expect_log(qr/AMGR0040: supervisor $old ended by itself/);
    kill 'TERM', $old;
    AMGR::Managed::supervisor($s, $old);
    ok(wait_until(sub { order('quick/start?wait=20') == 200 }, SOON,
                  'an order'),
       'its successor does not take each by itself for all together');
    is(one('slow')->{state}, 'STOPPED', 'it keeps who was stopped');
    is(order('slow/start?wait=20'), 200, 'and starts it by an order');
}

# ---- configurations ---------------------------------------------------------

# The second comes while the process is ending for the first.
{
    my $slow = ready('slow');
    hold();
    reload(['slow', "Environment TEST one\n"], ['quick']);
    ok(AMGR::Managed::wait_for($s, 'slow', 'STOPPING'),
       'another configuration stops it');
    reload(['slow', "Environment TEST two\n"], ['quick']);
    free();
    my $now = ready('slow', $slow->{pid});
    is(variable($now->{pid}, 'TEST'), 'two', 'the last is what it runs by');
    is($now->{starts}, $slow->{starts} + 1, 'and in no other way');
    hold();
    reload(['slow', "Environment TEST three\n"], ['quick']);
    ok(AMGR::Managed::wait_for($s, 'slow', 'STOPPING'), 'once more');
    reload(['slow', "Environment TEST two\n"], ['quick']);
    free();
    $slow = ready('slow', $now->{pid});
    is(variable($slow->{pid}, 'TEST'), 'two', 'even when that is the old one');
    is($slow->{starts}, $now->{starts} + 1, 'too late for what is ending');
    no_double('one configuration after the other');
}

{
    my $slow = ready('slow');
    hold();
    reload(['quick']);
    ok(AMGR::Managed::wait_for($s, 'slow', 'STOPPING'),
       'without its section it is stopped');
    reload(['slow'], ['quick']);
    free();
    my $now = ready('slow', $slow->{pid});
    ok($now, 'and started when it has come back');
    ok(AMGR::Managed::are_gone(0, $slow->{pid}), 'which the old one is not');
    no_double('a section that goes and comes');
}

# Each gets what the other had, and the other's place.
{
    my ($slow, $quick) = map { ready($_) } qw(slow quick);
    reload(['quick', "Environment TEST slow\n"],
           ['slow', "Environment TEST quick\n"]);
    my $now = ready('quick', $quick->{pid});
    my $other = ready('slow', $slow->{pid});
    is("$now->{id} $other->{id}", '1 2', 'two change places');
    is(join(' ', map { variable($_->{pid}, 'TEST') } $now, $other),
       'slow quick', 'and contents');
    ok(AMGR::Managed::are_gone(0, $slow->{pid}, $quick->{pid}),
       'nothing is left of either');
    no_double('two change places');
}

# What came after another comes before it.
{
    reload(['slow', "After quick\n"], ['quick']);
    my ($slow, $quick) = map { ready($_) } qw(slow quick);
    ok(wait_until(sub { ($slow = one('slow'))->{ready}
                        && ($quick = one('quick'))->{ready} }, SOON, 'both'),
       'one comes after the other');
    cmp_ok($slow->{started}, '>=', $quick->{ready_at}, 'it is started then');
    unlink AMGR::Managed::state_dir($s) . '/ended';
    reload(['slow'], ['quick', "After slow\n"]);
    ok(ready($_->{name}, $_->{pid}), "$_->{name} is another") for $slow, $quick;
    ($slow, $quick) = map { ready($_) } qw(slow quick);
    cmp_ok($quick->{started}, '>=', $slow->{ready_at}, 'the other way now');
    is(join(' ', AMGR::Managed::noted($s, 'ended')), 'slow quick',
       'but they were stopped as they had been started');
    no_double('another order');
}

$s->stop_ok;
done_testing();
